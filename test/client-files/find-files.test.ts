import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFiles } from '../../src/client-files/find-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a folder without a file of records is an error, not one without clients', () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'README.md'), '');
  mkdirSync(join(folder, 'nested'));
  const faults = [expect.stringMatching(/: the folder holds no \.yaml/), expect.stringContaining('ENOENT')];
  expect(findFiles([folder, '/nowhere'])).toEqual({ files: [], faults });
});

test('a file that is named twice, or is in a folder that is named as well, is read once', () => {
  const folder = temporaryDirectory();
  const path = join(folder, 'clients.yaml');
  writeFileSync(path, '');
  expect(findFiles([path, folder, path, '-', '-'])).toEqual({ files: [path, '-'], faults: [] });
});
