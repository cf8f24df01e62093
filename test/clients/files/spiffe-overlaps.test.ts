import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readClientsFiles } from '../../../src/clients/files/read-clients-files.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const keyOf = (name: string) => createHash('sha256').update(name).digest('base64url');
const anchors = ['A', 'B'].map((name) => ({ subjectText: `CN=${name}`, publicKeyThumbprint: keyOf(name) }));
const record = (path: string, ca = 'A', more: object = {}) => ({
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_spiffe_id: `spiffe://${path}`,
  tls_client_auth_ca: [keyOf(ca)],
  ...more,
});

/** Reads a file with these records, whose `client_id`s are their numbers. */
function read(records: readonly object[], name = 'clients.json') {
  const file = join(temporaryDirectory(), name);
  const numbered = records.map((fields, number) => ({ client_id: `${number + 1}`, ...fields }));
  const isLines = name.endsWith('.jsonl');
  writeFileSync(file, isLines ? numbered.map((each) => JSON.stringify(each)).join('\n') : JSON.stringify(numbered));
  return readClientsFiles([file], { ...defaultPolicy, anchors }, Date.now());
}

describe('a file is rejected if it contains', () => {
  test.each<[string, readonly object[]]>([
    ['two patterns that overlap', [record('td/ns/*/sa/a'), record('td/ns/b/sa/*')]],
    ['the same pattern twice', [record('td/*'), record('td/*')]],
    ['the same SPIFFE ID twice', [record('td/a'), record('td/a')]],
    ['patterns that overlap in a pattern', [record('td/*/b/*'), record('td/*/*/c')]],
    ['patterns that overlap, one of a disabled client', [record('td/*/b'), record('td/a/*', 'A', { enabled: false })]],
    [
      'patterns that overlap, one with several pins',
      [record('td/*/b'), record('td/a/*', 'B', { tls_client_auth_ca: [keyOf('A'), keyOf('B')] })],
    ],
    ['patterns with pins to CAs that are not anchors', [record('td/*/b', 'C'), record('td/a/*', 'D')]],
  ])('%s', async (_, records) => {
    for (const name of ['clients.json', 'clients.jsonl']) {
      const { clients, errors } = await read(records, name);
      expect(clients.map(({ clientId }) => clientId)).toEqual(['1']);
      expect(errors).toEqual([
        expect.objectContaining({
          client: '2',
          field: 'tls_client_auth_spiffe_id',
          message: expect.stringMatching(/^matches spiffe:.*, and so does client 1 \(.*; neither has precedence: /),
        }),
      ]);
    }
  });
});

describe('a file is accepted if it contains', () => {
  test.each<[string, readonly object[]]>([
    ['a SPIFFE ID and patterns that it matches', [record('td/a/b'), record('td/a/*'), record('td/*/*')]],
    ['patterns of different services', [record('td/ns/*/sa/a'), record('td/ns/*/sa/b')]],
    ['patterns of different trust domains', [record('td/*'), record('td2/*')]],
    ['patterns of different lengths', [record('td/*'), record('td/*/*')]],
    ['patterns that overlap, pinned to different anchors', [record('td/*/b'), record('td/a/*', 'B')]],
    ['the same SPIFFE ID, pinned to different anchors', [record('td/a'), record('td/a', 'B')]],
  ])('%s', async (_, records) => {
    const { clients, errors } = await read(records);
    expect([clients.length, errors]).toEqual([records.length, []]);
  });
});

test('a file with thousands of patterns is read at the rate of others', async () => {
  const records = (prefix: string) => Array.from({ length: 5_000 }, (_, index) => record(`td/${prefix}/${index}/*`));
  const crossing = Array.from({ length: 5_000 }, (_, index) => record(`td/*/x${index}/y`));
  const { clients, errors } = await read([...records('a'), ...records('b'), ...crossing], 'clients.jsonl');
  expect([clients.length, errors]).toEqual([15_000, []]);
});
