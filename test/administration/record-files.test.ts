import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordFiles } from '../../src/administration/record-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a folder without a file of records is an error, not one without clients', () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'README.md'), '');
  mkdirSync(join(folder, 'nested'));
  expect(() => recordFiles([folder])).toThrow(/: the folder holds no \.yaml/);
});

test('a file that is named twice, or is in a folder that is named as well, is read once', () => {
  const folder = temporaryDirectory();
  const path = join(folder, 'clients.yaml');
  writeFileSync(path, '');
  expect(recordFiles([path, folder, path, '-', '-'])).toEqual([path, '-']);
});
