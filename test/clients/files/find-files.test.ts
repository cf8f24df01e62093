import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFiles } from '../../../src/clients/files/find-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('findFiles reports a folder without clients files as an error', () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'README.md'), '');
  mkdirSync(join(folder, 'nested'));
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
