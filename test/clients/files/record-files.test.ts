import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeDiagnostic } from '../../../src/clients/files/diagnostics.ts';
import { readClientsFiles } from '../../../src/clients/files/read-clients-files.ts';
import { withSha1 } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const writeFile = (content: string | Uint8Array, name = 'clients.yaml') => {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
};
const readFiles = (...files: string[]) => readClientsFiles(files, withSha1, Date.now());
const read = (content: string | Uint8Array, name?: string) => readFiles(writeFile(content, name));
const errorsOf = async (content: string | Uint8Array, name?: string) =>
  (await read(content, name)).errors.map(describeDiagnostic);
const record = (clientId: string) =>
  `{"client_id":"${clientId}","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=a"}`;
const one = record('a');

describe('readClientsFiles', () => {
  test.each([
    ['YAML with the list in clients', `clients:\n  - ${one}\n`],
    ['YAML with a list', `- ${one}\n`],
    [
      'JSON',
      '{"clients":[{"client_id":"a","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"a"}]}',
    ],
    ['JSON with a byte order mark', `\ufeff[${one}]`],
  ])('reads %s', async (_, content) => {
    expect(await read(content)).toMatchObject({ clients: [{ clientId: 'a' }], errors: [], warnings: [] });
  });

  test.each(['clients: []', '[]'])('reads %s as no clients', async (content) => {
    expect(await read(content)).toMatchObject({ clients: [], errors: [] });
  });

  test.each<[string, string | Uint8Array, string, string]>([
    ['an empty file', '', 'clients.yaml', 'expected a list of clients'],
    ['only a comment', '# none yet', 'clients.yaml', 'expected a list of clients'],
    ['a string', 'clients', 'clients.yaml', 'expected a list of clients'],
    ['a client outside a list', one, 'clients.yaml', 'expected a list of clients'],
    ['another field next to clients', `clients: [${one}]\nmore: 1`, 'clients.yaml', 'unknown field "more"'],
    ['invalid syntax', 'clients: [', 'clients.yaml', 'invalid YAML: '],
    ['a duplicate key', '- {client_id: a, client_id: b}', 'clients.yaml', 'duplicate key'],
    ['invalid UTF-8', Buffer.from('- {client_id: "\u00e4"}', 'latin1'), 'clients.yaml', 'line 1: not valid UTF-8'],
    ['empty JSON Lines', '', 'clients.jsonl', 'contains no record; if there are no clients, use a .json file'],
    [
      'JSON Lines of white space',
      '\n \n',
      'clients.jsonl',
      'contains no record; if there are no clients, use a .json file',
    ],
  ])('reports the file with an error for %s', async (_, content, name, message) => {
    const { clients, errors } = await read(content, name);
    expect(clients).toEqual([]);
    expect(errors).toMatchObject([{ file: join(directory, name), message: expect.stringContaining(message) }]);
    expect(errors).toHaveLength(1);
  });

  test('reports a missing file with its path', async () => {
    const { errors } = await readFiles('/nowhere/clients.yaml');
    expect(errors.map(describeDiagnostic)).toEqual([
      expect.stringMatching(/^\/nowhere\/clients\.yaml: no such file or directory/),
    ]);
  });

  test('rejects a YAML alias bomb', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`,
    );
    expect(await errorsOf(`a0: &a0 [x]\n${levels.join('\n')}`)).toEqual([expect.stringContaining('alias')]);
  });

  test('reads JSON Lines past an invalid line', async () => {
    const { clients, errors } = await read(`${one}\n{"client_id"\n\n{}\n${record('b')}\r\n`, 'clients.jsonl');
    expect(clients.map(({ clientId }) => clientId)).toEqual(['a', 'b']);
    expect(errors).toMatchObject([
      { line: 2, column: 13, message: expect.stringMatching(/^invalid JSON/) },
      { client: '(line 4)', location: 'line 4', line: 4, column: 1, field: 'client_id', message: 'is missing' },
    ]);
  });

  test('reports all errors of all clients with client and field', async () => {
    const { clients, errors } = await read(`clients:
      - ${one}
      - {client_id: b, token_endpoint_auth_method: tls_client_auth, tls_client_auth_subject_dn: x, scopes: y}
      - {token_endpoint_auth_method: tls_client_auth}
      - ${one}
      - {client_id: c, token_endpoint_auth_method: tls_client_auth, tls_client_auth_san_ip: 1.2.3}
      - 7
      - ${record('c')}`);
    expect(clients.map(({ clientId }) => clientId)).toEqual(['a']);
    const reported = errors.map((error) => ('client' in error ? [error.client, error.location, error.field] : []));
    expect(reported).toEqual([
      ['b', 'record 2', 'scopes'],
      ['(record 3)', 'record 3', 'client_id'],
      ['a', 'record 4', 'client_id'],
      ['c', 'record 5', 'tls_client_auth_san_ip'],
      ['(record 6)', 'record 6', '(record)'],
      ['c', 'record 7', 'client_id'],
    ]);
  });
});

describe('readClientsFiles of several files', () => {
  test('reports a client_id that is in two of them', async () => {
    const files = [
      writeFile(`[${one}]`, 'one.json'),
      writeFile(`${record('b')}\n${one}`, 'two.jsonl'),
      writeFile(`- ${record('b')}\n- ${record('c')}`, 'three.yaml'),
    ];
    const { names, clients, errors } = await readFiles(...files);
    expect([names, clients.map(({ clientId }) => clientId)]).toEqual([files, ['a', 'b', 'c']]);
    expect(errors.map(describeDiagnostic)).toEqual([
      `${files[1]}:2:2: client "a": client_id: is already defined in ${files[0]}:1; a client has one record`,
      `${files[2]}:1:4: client "b": client_id: is already defined in ${files[1]}:1; a client has one record`,
    ]);
  });

  test('rejects with the reason of its signal', async () => {
    const stopped = AbortSignal.abort();
    await expect(readClientsFiles([writeFile(one)], withSha1, 0, stopped)).rejects.toThrow(/abort/);
  });
});

test('describeDiagnostic returns one line, which starts with the position', () => {
  const diagnostic = { file: 'f.yaml', line: 7, column: 3, location: 'record 2', field: 'scope', message: 'is odd' };
  expect(describeDiagnostic({ ...diagnostic, client: 'b' })).toBe('f.yaml:7:3: client "b": scope: is odd');
  expect(describeDiagnostic({ ...diagnostic, client: '(record 2)' })).toBe(
    'f.yaml:7:3: client (record 2): scope: is odd',
  );
});

describe('the position of a problem', () => {
  const yaml = `# Clients
clients:
  - client_id: billing
    token_endpoint_auth_method: tls_client_ath
    tls_client_auth_san_dns: a
    scpoe: x
    certificates:
      - thumprint: abc
        not_before: never
  - {client_id: two, token_endpoint_auth_method: tls_client_auth,
     tls_client_auth_san_dns: a.example,
     acess_token_lifetime: 3}
  - token_endpoint_auth_method: tls_client_auth
`;

  test('is that of its field in YAML, with what was probably meant', async () => {
    const at = (place: string, problem: string) => `${join(directory, 'clients.yaml')}:${place}: ${problem}`;
    expect(await errorsOf(yaml)).toEqual([
      at(
        '4:5',
        'client "billing": token_endpoint_auth_method: expected tls_client_auth or self_signed_tls_client_auth (did you mean "tls_client_auth"?)',
      ),
      at('6:5', 'client "billing": unknown field "scpoe" (did you mean "scope"?)'),
      at('8:9', 'client "billing": unknown field "certificates[0].thumprint" (did you mean "thumbprint"?)'),
      at(
        '9:9',
        'client "billing": certificates[0].not_before: expected a date such as 2027-01-31 or 2027-01-31T12:00:00Z',
      ),
      at('12:6', 'client "two": unknown field "acess_token_lifetime" (did you mean "access_token_lifetime"?)'),
      at('13:5', 'client (record 3): client_id: is missing'),
    ]);
  });

  test.each([
    ['a YAML record that is an alias', '- &a {scop: x}\n- *a\n', [1, 7]],
    ['a name with dots in YAML', '- client_id: a\n  claims:\n    a.b:\n      iss: .inf', [4, 12]],
    ['a file with CRLF', '- client_id: a\r\n  claims:\r\n    "__proto__": 1\r\n', [3, 5]],
    [
      'a scope that the client does not have',
      `- client_id: a\n  token_endpoint_auth_method: tls_client_auth\n  tls_client_auth_san_dns: a\n  scope: a.b\n  audience: {a.c: x}`,
      [5, 14],
    ],
  ])('is found in %s', async (_, content, position) => {
    const { errors } = await read(content);
    expect(errors.map(({ line, column }) => [line, column])).toContainEqual(position);
  });

  test('is found in JSON, whether or not it is written on one line', async () => {
    const value = {
      clients: [{ client_id: 'a', note: 'x', claims: { '{"a': '\\"}' } }, 7, { client_id: 'b', scop: 1 }],
    };
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
      const { errors } = await read(text, 'clients.json');
      const lines = text.split('\n');
      const index = lines.findIndex((line) => line.includes('"scop"'));
      const column = (lines[index] ?? '').indexOf('"scop"') + 1;
      const unknown = errors.filter((error) => 'client' in error && error.client === 'b' && error.field === 'scop');
      expect(unknown).toMatchObject([{ suggestion: 'scope', line: index + 1, column }]);
    }
  });

  test('is that of the record in a file with very many problems', async () => {
    const { errors } = await read(`${'{"scop":1}\n'.repeat(1_200)}`, 'many.jsonl');
    const columns = errors.filter(({ message }) => message.startsWith('unknown')).map(({ column }) => column);
    expect([columns.length, columns[0], columns.at(-1)]).toEqual([1_200, 2, 1]);
  });
});
