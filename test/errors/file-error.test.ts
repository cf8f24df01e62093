import { constants, openSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileErrorReason } from '../../src/errors/file-error.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const link = join(folder, 'link.yaml');
symlinkSync('../data/clients.yaml', link);
const pipe = join(folder, 'pipe');
await runProgram('mkfifo', [pipe]);

test.each([
  ['that does not exist', () => readFileSync(join(folder, 'none')), 'no such file or directory'],
  ['that is a folder', () => readFileSync(folder), 'it is a folder, not a file'],
  ['that is a broken link', () => readFileSync(link), 'it is a link to ../data/clients.yaml, which does not exist'],
  [
    'that is a pipe without a reader',
    () => openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK),
    'it is a socket, or a pipe without a reader',
  ],
])('the reason for a file %s names it', (_, open, reason) => {
  let thrown: unknown;
  try {
    open();
  } catch (error) {
    thrown = error;
  }
  expect(fileErrorReason(thrown)).toBe(reason);
});
