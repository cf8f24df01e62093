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
    ['invalid syntax', 'clients: [', 'clients.yaml', 'line 1: invalid YAML: '],
    ['a duplicate key', '- {client_id: a, client_id: b}', 'clients.yaml', 'line 1: duplicate key'],
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
    expect(errors).toEqual([{ file: join(directory, name), message: expect.stringContaining(message) }]);
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
      { message: expect.stringMatching(/^line 2: invalid JSON/) },
      { client: '(line 4)', location: 'line 4', field: 'client_id', message: 'is missing' },
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
      `${files[1]}: client a (line 2): client_id: is already defined in ${files[0]}, record 1; a client has one record`,
      `${files[2]}: client b (record 1): client_id: is already defined in ${files[1]}, line 1; a client has one record`,
    ]);
  });

  test('rejects with the reason of its signal', async () => {
    const stopped = AbortSignal.abort();
    await expect(readClientsFiles([writeFile(one)], withSha1, 0, stopped)).rejects.toThrow(/abort/);
  });
});

test('describeDiagnostic returns one line', () => {
  const diagnostic = { file: 'f.yaml', location: 'line 7', field: 'scope', message: 'is odd' };
  expect(describeDiagnostic({ ...diagnostic, client: 'b' })).toBe('f.yaml: client b (line 7): scope: is odd');
  expect(describeDiagnostic({ ...diagnostic, client: '(line 7)' })).toBe('f.yaml: client (line 7): scope: is odd');
});
