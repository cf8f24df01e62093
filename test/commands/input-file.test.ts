import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeInput, parseInput, readInput } from '../../src/commands/input-file.ts';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const fileOf = (content: string | Buffer) => {
  const path = join(folder, 'input');
  writeFileSync(path, content);
  return path;
};

test('readInput names a file that cannot be read', async () => {
  const path = join(folder, 'missing');
  await expect(readInput(path, 1)).rejects.toThrow(OperatorError);
  await expect(readInput(path, 1)).rejects.toThrow(`${path}: no such file or directory`);
});

test('readInput does not read an endless file to its end', async () => {
  await expect(readInput('/dev/zero', 1)).rejects.toThrow('/dev/zero: is larger than 1 MiB');
});

test('parseInput names the file that cannot be parsed', async () => {
  const path = fileOf('x');
  const input = await readInput(path, 1);
  expect(parseInput(input, String)).toBe('x');
  const parse = () => parseInput(input, () => JSON.parse('{'));
  expect(parse).toThrow(OperatorError);
  expect(parse).toThrow(`${path}: Expected property name`);
});

test.each([
  ['the first', 1, Buffer.from([0xff])],
  ['a middle', 2, Buffer.from([0x61, 0x0a, 0xc3, 0x0a, 0x62, 0x0a])],
  ['the last', 3, Buffer.from([0xc3, 0xa4, 0x0a, 0x0a, 0xe2, 0x82])],
])('decodeInput names %s line that is not UTF-8', async (_, line, content) => {
  const path = fileOf(content);
  const input = await readInput(path, 1);
  expect(() => decodeInput(input)).toThrow(OperatorError);
  expect(() => decodeInput(input)).toThrow(`${path}: line ${line}: not valid UTF-8; if it is Windows-1252`);
});

test.each(['', 'ä\n\u{1f600}\n', '\ufeff{}'])('decodeInput preserves %j', async (text) => {
  expect(decodeInput(await readInput(fileOf(text), 1))).toBe(text);
});
