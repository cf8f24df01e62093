import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ClientsFileError, describeFinding, readClientsFile } from '../../src/clients/clients-file.ts';
import { withSha1 } from '../support/policy.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const file = join(temporaryDirectory(), 'clients.yaml');
const read = (content: string) => {
  writeFileSync(file, content);
  return readClientsFile(file, withSha1, Date.now());
};
const one = '{client_id: a, token_endpoint_auth_method: tls_client_auth, tls_client_auth_subject_dn: "CN=a"}';

describe('a clients file', () => {
  test.each([
    ['YAML, under clients', `clients:\n  - ${one}\n`],
    ['YAML, a list', `- ${one}\n`],
    [
      'JSON',
      '{"clients":[{"client_id":"a","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"a"}]}',
    ],
  ])('is read: %s', (_, content) => {
    expect(read(content)).toMatchObject({ clients: [{ clientId: 'a' }], faults: [], warnings: [] });
  });

  test('may hold nobody, when it says so', () => {
    expect(read('clients: []').clients).toEqual([]);
  });

  test.each([
    ['empty', ''],
    ['only a comment', '# none yet'],
    ['a text', 'clients'],
    ['a client outside a list', one],
    ['clients and something else', `clients: [${one}]\nmore: 1`],
    ['broken', 'clients: ['],
    ['a key twice', `- {client_id: a, client_id: b}`],
  ])('is refused whole, and named: %s', (_, content) => {
    expect(() => read(content)).toThrow(ClientsFileError);
    expect(() => read(content)).toThrow(file);
  });

  test('may begin with a byte order mark, and is else UTF-8', () => {
    expect(read(`\ufeff[{"client_id": "a"}]`).faults).toHaveLength(1);
    writeFileSync(file, Buffer.from(`- {client_id: "\u00e4"}`, 'latin1'));
    expect(() => readClientsFile(file, withSha1, 0)).toThrow(`${file}: it is not text in UTF-8`);
  });

  test('that is not there is named', () => {
    expect(() => readClientsFile('/nowhere/clients.yaml', withSha1, 0)).toThrow('/nowhere/clients.yaml');
  });

  test('an alias bomb is refused', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`,
    );
    expect(() => read(`a0: &a0 [x]\n${levels.join('\n')}`)).toThrow(ClientsFileError);
  });

  test('tells all faults of all clients, each with client and field', () => {
    const { clients, faults } = read(`clients:
      - ${one}
      - {client_id: b, token_endpoint_auth_method: tls_client_auth, tls_client_auth_subject_dn: x, scopes: y}
      - {token_endpoint_auth_method: tls_client_auth}
      - ${one}
      - {client_id: c, token_endpoint_auth_method: tls_client_auth, tls_client_auth_san_ip: 1.2.3}
      - 7`);
    expect(clients.map(({ clientId }) => clientId)).toEqual(['a']);
    expect(faults.map(({ client, field }) => [client, field])).toEqual([
      ['b', 'scopes'],
      ['(number 3 in the list)', 'client_id'],
      ['a', 'client_id'],
      ['c', 'tls_client_auth_san_ip'],
      ['(number 6 in the list)', '(record)'],
    ]);
    expect(describeFinding('f.yaml', { client: 'b', field: 'scope', message: 'is odd' })).toBe(
      'f.yaml: client b: scope is odd',
    );
  });
});
