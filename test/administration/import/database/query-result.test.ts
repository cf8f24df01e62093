import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseDecoratedJson } from '../../../../src/administration/import/identity-server/database/decorated-json.ts';
import { parseQueryResult } from '../../../../src/administration/import/identity-server/database/query-result.ts';

const hostile = 'a\'b"c`\\d \\n "" \n\t\r  &quot; | x | }{ ä😀\u2028';
const configuration = {
  Clients: [{ Id: 1, ClientId: hostile, AllowedScopes: [] }],
  rows: { Clients: 1 },
};
const imported = { Clients: configuration.Clients };
const json = JSON.stringify(configuration);
const resultOf = (text: string, encoding: 'utf8' | 'utf16le' = 'utf8') =>
  `{"countersign_sha256":"${createHash('sha256').update(Buffer.from(text, encoding)).digest('hex')}","IdentityServer":${text}}`;
const result = resultOf(json);
/** As the query for SQL Server writes it. */
const withoutSpaces = resultOf(json.replaceAll(' ', '\\u0020'), 'utf16le');
const linesOf = (text: string, length: number) => text.match(new RegExp(`.{1,${length}}`, 'gsu')) ?? [];

describe('the result of the query', () => {
  test.each<[string, string]>([
    ['as it is', `${result}\n`],
    ['with a byte order mark', `\uFEFF${result}`],
    ['aligned by psql', `   countersign\n${'-'.repeat(40)}\n ${result}\n(1 row)\n\n`],
    ['expanded by psql', `-[ RECORD 1 ]${'-'.repeat(9)}\ncountersign | ${result}\n`],
    ['as CSV', `countersign\r\n"${result.replaceAll('"', '""')}"\r\n`],
    ['with the escapes of mysql', `countersign\n${result.replaceAll('\\', '\\\\')}\n`],
    ['in a table of mysql', `+---+\n| countersign |\n+---+\n| ${result} |\n+---+\n1 row in set (0.001 sec)\n`],
    [
      'in a table of sqlite3',
      linesOf(result, 60)
        .map((line) => `│ ${line.padEnd(60)} │\n`)
        .join(''),
    ],
    ['as JSON', JSON.stringify([{ countersign: result }])],
    ['as HTML', `<td>${result.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}</td>`],
    [
      'in the rows of SQL Server',
      `JSON_F52E2B61-18A1\n-----\n${linesOf(withoutSpaces, 33).join('\n')}\n\n(9 rows affected)\n`,
    ],
    [
      'in padded lines',
      linesOf(withoutSpaces, 33)
        .map((line) => `${line.padEnd(80)}\r\n`)
        .join(''),
    ],
  ])('is read %s', (_, text) => {
    expect(parseQueryResult(text)).toEqual(imported);
  });

  test.each<[string, string]>([
    ['cut off', result.slice(0, -20)],
    ['cut off within its checksum', result.slice(0, 60)],
    ['lacks a client', result.replace('"Id":1', '"Id":2')],
    ['has another character', result.replace('ä', '?')],
    ['has its spaces trimmed', result.replaceAll('  ', ' ')],
  ])('is rejected if it is or %s', (_, text) => {
    expect(() => parseQueryResult(text)).toThrow(/differs from its checksum.*`psql -At -f QUERY\.sql`/);
  });

  test('is rejected if the database cut an array off', () => {
    const cut = resultOf(JSON.stringify({ ...configuration, rows: { Clients: 2 } }));
    expect(() => parseQueryResult(cut)).toThrow(/the database has 2 rows in Clients, and its result 1/);
  });

  test('is not any other JSON', () => {
    expect(parseQueryResult(JSON.stringify({ Clients: [] }))).toBeUndefined();
  });
});

describe('the result of another query', () => {
  const lists = { Clients: [{ ClientId: 'a b', Description: 'x'.repeat(5_000) }] };
  const text = JSON.stringify(lists);

  test.each<[string, string]>([
    ['between a heading and a number of rows', ` json_build_object\n${'-'.repeat(20)}\n ${text}\n(1 row)\n`],
    [
      'continued by psql',
      JSON.stringify(lists, null, 1)
        .split('\n')
        .map((line) => ` ${line.padEnd(40)}`)
        .join('+\n')
        .concat('\n(1 row)\n'),
    ],
    [
      'in the rows of SQL Server',
      `JSON_F52E2B61\n-----\n${linesOf(text, 2_033).join('\r\n')}\r\n\r\n(3 rows affected)`,
    ],
    ['in these rows alone', linesOf(text, 2_033).join('\n')],
  ])('is read %s', (_, output) => {
    expect(parseDecoratedJson(output)).toEqual(lists);
  });

  test.each<[string, string]>([
    [
      'cut lines',
      `h\n-----\n${linesOf(text, 2_033)
        .map((line) => line.slice(0, 256))
        .join('\n')}\n(3 rows affected)`,
    ],
    ['an end that is cut off', `h\n-----\n${text.slice(0, 3_000)}\n(1 row)`],
    ['ambiguous backslashes', `+---+\n| {"Clients":[{"ClientId":"a\\\\nb"}]} |\n+---+`],
    ['one client in each row', 'h\n-----\n{"ClientId":"a"}\n{"ClientId":"b"}\n(2 rows)'],
  ])('is rejected with %s, with the way to run the query', (_, output) => {
    expect(() => parseDecoratedJson(output)).toThrow(/cannot be restored .* clients import identityserver --query/);
  });

  test('is rejected as JSON with an error if nothing is printed around it', () => {
    expect(() => parseDecoratedJson('{"Clients": [}')).toThrow(/^line 1, column 14: /);
  });
});
