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
  for await (const part of rowTable(['NAME', ''], cells)) text += part;
  expect(text.split('\n').slice(1, -1)).toEqual(aligned);
});
