import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSecretFile } from '../../src/files/secret-file.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const newFile = (content: string) => {
  const path = join(temporaryDirectory(), 'secret');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};
const MEBIBYTE = 1024 * 1024;

test.each([
  ['short', 'secret', 'secret'],
  ['surrounded by white space', '\n secret\r\n', 'secret'],
  ['longer than one read of a pipe', 'é'.repeat(100_000), 'é'.repeat(100_000)],
  ['as long as allowed', 'x'.repeat(MEBIBYTE), 'x'.repeat(MEBIBYTE)],
])('a secret is read that is %s', (_, content, expected) => {
  expect(readSecretFile(newFile(content)) === expected).toBe(true);
});

test('a secret is rejected that is longer than allowed', () => {
  expect(() => readSecretFile(newFile('x'.repeat(MEBIBYTE + 1)))).toThrow(/larger than 1 MiB, and not a secret$/);
});

test.skipIf(!existsSync('/proc/self/pagemap'))('an endless file that states no size is rejected', () => {
  expect(() => readSecretFile('/proc/self/pagemap')).toThrow(
    '/proc/self/pagemap is larger than 1 MiB, and not a secret',
  );
});

test('a pipe is rejected, and not waited for', () => {
  const path = join(temporaryDirectory(), 'pipe');
  execFileSync('mkfifo', ['-m', '600', path]);
  expect(() => readSecretFile(path)).toThrow(/pipe is not a file$/);
});
