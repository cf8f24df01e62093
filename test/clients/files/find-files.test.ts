import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findFiles, ignoredFiles } from '../../../src/clients/files/find-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('findFiles reports a folder without clients files as an error', () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'README.md'), '');
  mkdirSync(join(folder, '.hidden'));
  const errors = [
    { file: folder, message: expect.stringMatching(/^the folder contains no \.yaml/) },
    { file: '/nowhere', message: 'no such file or directory' },
  ];
  expect(findFiles([folder, '/nowhere'])).toEqual({ files: [], errors });
});

test('findFiles skips hidden files and schemas of a folder', () => {
  const folder = temporaryDirectory();
  const file = (name: string) => {
    writeFileSync(join(folder, name), '');
    return join(folder, name);
  };
  symlinkSync('me@host.1', join(folder, '.#a.yaml'));
  const [hidden, schema] = [file('.hidden.yaml'), file('clients.schema.json')];
  expect(findFiles([folder])).toEqual({
    files: [],
    errors: [{ file: folder, message: expect.stringContaining('contains no .yaml') }],
  });
  const files = [file('a.yaml'), file('b.schema.yaml'), file('schema.json')];
  expect(findFiles([folder])).toEqual({ files, errors: [] });
  expect(findFiles([hidden, schema])).toEqual({ files: [hidden, schema], errors: [] });
});

test('findFiles reads the subfolders of a folder, and no deeper ones', () => {
  const folder = temporaryDirectory();
  const file = (path: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), '');
    return join(folder, path);
  };
  const [hidden, deep] = [file('.git/a.yaml'), file('two/deep/a.yaml')];
  const files = [file('b.yaml'), file('a.yaml/a.yaml'), file('one/a.yaml'), file('two/a.yaml')];
  expect(findFiles([folder])).toEqual({ files, errors: [] });
  expect(findFiles([dirname(hidden), dirname(deep)]).files).toEqual([hidden, deep]);
  mkdirSync(join(folder, 'empty'));
  const error = { file: join(folder, 'empty'), message: expect.stringMatching(/^the folder contains no \.yaml/) };
  expect(findFiles([folder])).toEqual({ files, errors: [error] });
});

test('findFiles and ignoredFiles skip lost+found in the root of a file system', () => {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, 'lost+found'), { mode: 0 });
  const files = [join(folder, 'a.yaml')];
  writeFileSync(join(folder, 'a.yaml'), '');
  expect(findFiles([folder])).toEqual({ files, errors: [] });
  expect(ignoredFiles([folder])).toEqual([]);
});

test('ignoredFiles names what a folder does not stand for', () => {
  const folder = temporaryDirectory();
  expect(ignoredFiles([folder, '-', '/nowhere'])).toEqual([]);
  mkdirSync(join(folder, 'team/deep'), { recursive: true });
  mkdirSync(join(folder, '.git'));
  symlinkSync('me@host.1', join(folder, '.#a.yaml'));
  for (const name of ['a.yaml', 'a.schema.json', '.gitignore', 'team/a.yaml', '.git/a.txt'])
    writeFileSync(join(folder, name), '');
  for (const name of ['billing', '.hidden.yaml', 'team/b.yaml.bak']) writeFileSync(join(folder, name), '');
  const message = /^does not stand for \.hidden\.yaml, billing, team\/b\.yaml\.bak, team\/deep: name files with \.yaml/;
  expect(ignoredFiles([folder])).toEqual([{ file: folder, message: expect.stringMatching(message) }]);
  for (let number = 10; number < 40; number++) writeFileSync(join(folder, `x${number}.txt`), '');
  expect(ignoredFiles([folder])[0]?.message).toMatch(/x27\.txt, 14 more: name/);
});

test('findFiles reports a folder that contains a pipe as an error', () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'a.yaml'), '');
  execFileSync('mkfifo', [join(folder, 'b.yaml')]);
  const errors = [{ file: folder, message: 'b.yaml in it is not a regular file' }];
  expect(findFiles([folder])).toEqual({ files: [], errors });
  expect(findFiles([join(folder, 'b.yaml')]).errors).toEqual([]);
});

test('findFiles returns a file once, however often it or its folder is named', () => {
  const folder = temporaryDirectory();
  const path = join(folder, 'clients.yaml');
  writeFileSync(path, '');
  expect(findFiles([path, folder, path, '-', '-'])).toEqual({ files: [path, '-'], errors: [] });
});
