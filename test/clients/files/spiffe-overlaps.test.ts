import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findSharedInFiles } from '../../../src/clients/files/find-shared-in-files.ts';
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

describe('a file has shared identities if it contains', () => {
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
    const result = await read(records);
    expect(result.errors).toEqual([]);
    const shared = await findSharedInFiles(result, { policy: { anchors }, now: Date.now() });
    expect(shared.first.map(({ clients }) => clients.map(({ clientId }) => clientId))).toEqual([['1', '2']]);
  });
});

describe('a file has no shared identities if it contains', () => {
  test.each<[string, readonly object[]]>([
    ['a SPIFFE ID and patterns that it matches', [record('td/a/b'), record('td/a/*'), record('td/*/*')]],
    ['patterns of different services', [record('td/ns/*/sa/a'), record('td/ns/*/sa/b')]],
    ['patterns of different trust domains', [record('td/*'), record('td2/*')]],
    ['patterns of different lengths', [record('td/*'), record('td/*/*')]],
    ['patterns that overlap, pinned to different anchors', [record('td/*/b'), record('td/a/*', 'B')]],
    ['the same SPIFFE ID, pinned to different anchors', [record('td/a'), record('td/a', 'B')]],
  ])('%s', async (_, records) => {
    const result = await read(records);
    expect([result.clients.length, result.errors]).toEqual([records.length, []]);
    expect(await findSharedInFiles(result, { policy: { anchors }, now: Date.now() })).toMatchObject({ count: 0 });
  });
});

test('a file with thousands of patterns is read at the rate of others', async () => {
  const records = (prefix: string) => Array.from({ length: 5_000 }, (_, index) => record(`td/${prefix}/${index}/*`));
  const crossing = Array.from({ length: 5_000 }, (_, index) => record(`td/*/x${index}/y`));
  const result = await read([...records('a'), ...records('b'), ...crossing], 'clients.jsonl');
  expect([result.clients.length, result.errors]).toEqual([15_000, []]);
  expect(await findSharedInFiles(result, { policy: { anchors }, now: Date.now() })).toMatchObject({ count: 0 });
});
