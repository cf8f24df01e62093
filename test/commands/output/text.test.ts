import { expect, test } from 'vitest';
import { rowTable, table } from '../../../src/commands/output/text.ts';

const rows = [
  ['CN=東京', 'x'],
  ['CN=e\u0301', 'y'],
  ['CN=abcdef', 'z'],
];
const aligned = ['CN=東京    x', 'CN=e\u0301       y', 'CN=abcdef  z'];

test('table and rowTable align columns with characters of double and zero width', async () => {
  expect(await table(rows)).toEqual(aligned);
  const cells = (async function* () {
    for (const row of rows) yield { cells: row };
  })();
  let text = '';
  for await (const part of rowTable('table', ['NAME', ''], cells)) text += part;
  expect(text.split('\n').slice(1, -1)).toEqual(aligned);
});

test('rowTable cuts lines at 80 columns, except in a wide table', async () => {
  const linesOf = async (format: 'table' | 'wide', cells: readonly string[]) => {
    const rows = (async function* () {
      yield { cells };
    })();
    let text = '';
    for await (const part of rowTable(format, ['ID', 'SCOPES'], rows)) text += part;
    return text.split('\n').slice(1, -1);
  };
  const fits = ['a'.repeat(20), 'b'.repeat(58)];
  expect(await linesOf('table', fits)).toEqual([fits.join('  ')]);
  const long = ['a'.repeat(20), 'b'.repeat(59)];
  expect(await linesOf('table', long)).toEqual([`${long.join('  ').slice(0, 79)}…`]);
  expect(await linesOf('wide', long)).toEqual([long.join('  ')]);
  expect(await linesOf('table', ['東'.repeat(41)])).toEqual([`${'東'.repeat(39)}…`]);
});
