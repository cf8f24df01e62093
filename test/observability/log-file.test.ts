import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogFile } from '../../src/observability/log-file.ts';
import { LogOutput } from '../../src/observability/log-output.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A log in a file of a new folder. */
function openLog({ before }: { readonly before?: string } = {}) {
  const folder = join(temporaryDirectory(), 'log');
  mkdirSync(folder);
  const path = join(folder, 'audit.log');
  if (before !== undefined) writeFileSync(path, before);
  const file = new LogFile(path);
  file.open();
  const output = new LogOutput({
    name: 'the audit file',
    write: (bytes) => file.write(bytes),
    restoredLine: (reason, lost) => `restored: ${reason}, ${lost} lost\n`,
    onOutage: () => {},
  });
  const write = (line: string) => {
    output.append(line);
    return output.written();
  };
  const reopen = () => output.reopen(() => file.open());
  return { folder, path, file, output, write, reopen, content: () => readFileSync(path, 'utf8') };
}

test('a new file can be read by its owner and group only', () => {
  expect(statSync(openLog().path).mode & 0o777).toBe(0o640 & ~process.umask());
});

test('lines are appended to those that are there, also to a line that was cut', async () => {
  const whole = openLog({ before: 'a\n' });
  await whole.write('b\n');
  expect(whole.content()).toBe('a\nb\n');
  const cut = openLog({ before: 'a\n{"eve' });
  await cut.write('b\n');
  expect(cut.content()).toBe('a\n{"eve\nb\n');
});

test('after it was moved and opened again, pending lines are in the old file and others in a new one', async () => {
  const log = openLog();
  log.output.append('a\n');
  renameSync(log.path, `${log.path}.1`);
  log.reopen();
  expect(await log.write('b\n')).toBe(true);
  expect([readFileSync(`${log.path}.1`, 'utf8'), log.content()]).toEqual(['a\n', 'b\n']);
});

test('a file that was truncated is continued at its beginning', async () => {
  const log = openLog();
  await log.write('a\n');
  truncateSync(log.path);
  await log.write('b\n');
  expect([log.content(), log.file.isMoved()]).toEqual(['b\n', false]);
});

test.each([
  ['was moved', (path: string) => renameSync(path, `${path}.1`)],
  ['was removed', (path: string) => rmSync(path)],
  [
    'was replaced',
    (path: string) => {
      renameSync(path, `${path}.1`);
      appendFileSync(path, '');
    },
  ],
  ['has lost its folder', (path: string) => rmSync(join(path, '..'), { recursive: true })],
] as const)('a file that %s is known to be moved', (_, change) => {
  const { file, path } = openLog();
  expect(file.isMoved()).toBe(false);
  change(path);
  expect(file.isMoved()).toBe(true);
});

test('a file that cannot be opened again receives no further line, until it can be', async () => {
  const log = openLog();
  await log.write('a\n');
  renameSync(log.folder, `${log.folder}-old`);
  log.reopen();
  expect(log.output.problem).toBe('the audit file cannot be written: no such file or directory');
  expect(await log.write('lost\n')).toBe(false);
  expect(readFileSync(join(`${log.folder}-old`, 'audit.log'), 'utf8')).toBe('a\n');
  mkdirSync(log.folder);
  expect(await log.write('b\n')).toBe(true);
  expect(log.content()).toBe('restored: no such file or directory, 1 lost\nb\n');
});

test('opening a path that is no longer a file fails at once', () => {
  const { file, path } = openLog();
  rmSync(path);
  mkdirSync(path);
  expect(() => file.open()).toThrow('EISDIR');
});
