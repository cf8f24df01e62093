import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SigningAlgorithm } from '../../src/tokens/algorithms/signing-algorithm.ts';
import type { KeyringKey } from '../../src/tokens/keyring/live-keyring.ts';
import { type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { changingKeyring, newKey } from '../support/changing-keyring.ts';
import { sendRequest } from '../support/raw-http.ts';
import { registeredClient } from '../support/registered-client.ts';
import { type EdgeServer, resource, startEdge } from './edge-server.ts';

const HOUR = 3_600_000;
const start = Date.now();
const resources = [{ name: 'api' }, { name: 'kept', forward: 'original' }, { name: 'es384', signing_alg: 'ES384' }];
let now = start;
const changing = changingKeyring([], { retention: HOUR, now: () => now });
let [first, next, es384, nextEs384]: KeyringKey[] = [];
let edge: EdgeServer;

const key = (found: KeyringKey | undefined): KeyringKey => {
  if (!found) throw new Error('there is no such key');
  return found;
};
beforeAll(async () => {
  [first, next, es384, nextEs384] = [
    await newKey('ES256'),
    await newKey('ES256', start + HOUR),
    await newKey('ES384'),
    await newKey('ES384', start + HOUR),
  ];
  edge = await startEdge({ clients: [], resources }, { keyring: changing.keyring });
});
afterAll(() => edge?.close());
beforeEach(() => {
  now = start;
  changing.notReadyReason = undefined;
  changing.set([key(first), key(next)], { algorithm: 'ES256' });
  for (const record of resources) edge.resources.set(record.name, resource(record));
  edge.events.splice(0);
});

/** The only client, with a certificate for which no token was minted yet. */
function newCaller(): MintedCertificate {
  const certificate = selfSigned();
  const audience = 'https://api.example';
  const client = { client_id: 'a', scope: 'read', audience, certificates: [{ pem: certificate.pem }] };
  edge.clients.set('a', registeredClient(client));
  return certificate;
}

async function check(path: string, certificate: MintedCertificate, token?: string) {
  const forwarded = `X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`;
  const lines = token === undefined ? [forwarded] : [forwarded, `Authorization: Bearer ${token}`];
  const { status, headers } = await sendRequest(edge.url, { method: 'GET', path: `/edge/${path}`, lines });
  const received = headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
  const { kid, alg } = received === '' ? {} : decodeProtectedHeader(received);
  return { status, error: headers.get('x-countersign-error'), token: received, kid, alg, event: edge.events.at(-1) };
}

describe('after a rotation', () => {
  test('a minted token is reused while its retired key is published', async () => {
    const caller = newCaller();
    const minted = await check('mint/api', caller);
    expect(minted.kid).toBe(key(first).keyId);
    now = start + HOUR;
    expect(changing.keyring.signingKey().keyId).toBe(key(next).keyId);
    expect((await check('mint/api', caller)).token).toBe(minted.token);
    expect((await check('mint/api', newCaller())).kid).toBe(key(next).keyId);
  });

  test('a token of the retired key is verified until that is removed', async () => {
    const caller = newCaller();
    const { token } = await check('mint/kept', caller);
    now = start + HOUR;
    expect((await check('verify/kept', caller, token)).status).toBe(200);
    now = start + 2 * HOUR - 1;
    expect((await check('verify/kept', caller, token)).status).toBe(200);
    now = start + 2 * HOUR;
    expect((await check('verify/kept', caller, token)).status).toBe(401);
  });

  test('a token of the new key is verified by a server whose clock is slow', async () => {
    const caller = newCaller();
    now = start + HOUR;
    const { token, kid } = await check('mint/kept', caller);
    expect(kid).toBe(key(next).keyId);
    now = start + HOUR - 300_000;
    expect((await check('verify/kept', caller, token)).status).toBe(200);
  });
});

describe('after its key was dropped', () => {
  const dropped = () => changing.set([{ ...key(next), signsFrom: start }], { algorithm: 'ES256' });

  test('a token is rejected at once, cached or not', async () => {
    const caller = newCaller();
    const { token } = await check('mint/kept', caller);
    expect((await check('verify/kept', caller, token)).status).toBe(200);
    expect((await check('verify/kept', caller, token)).status).toBe(200);
    dropped();
    const rejected = await check('verify/kept', caller, token);
    expect([rejected.status, rejected.error, rejected.token]).toEqual([401, 'invalid_token', '']);
    expect(rejected.event).toMatchObject({
      event: 'edge_check_denied',
      reason: `the access token: no key of this server has the kid "${key(first).keyId}"`,
    });
    expect((await check('either/kept', caller, token)).status).toBe(401);
  });

  test('a minted token is not reused', async () => {
    const caller = newCaller();
    const { token } = await check('mint/api', caller);
    expect((await check('mint/api', caller)).token).toBe(token);
    dropped();
    const minted = await check('mint/api', caller);
    expect([minted.status, minted.kid]).toEqual([200, key(next).keyId]);
    expect((await check('mint/api', caller)).token).toBe(minted.token);
  });

  test('a minted token is not reused after a key with the same kid has come in its place', async () => {
    const caller = newCaller();
    const { token } = await check('mint/api', caller);
    changing.set([{ ...key(first) }], { algorithm: 'ES256' });
    expect((await check('mint/api', caller)).token).not.toBe(token);
  });

  test('a minted token is not reused while no key can sign', async () => {
    const caller = newCaller();
    await check('mint/api', caller);
    changing.set([]);
    const denied = await check('mint/api', caller);
    expect([denied.status, denied.error]).toEqual([503, 'temporarily_unavailable']);
    expect(denied.event).toMatchObject({ reason: 'no key of the keyring signs at the moment' });
  });
});

test('a minted token is reused while its keys must not sign any other', async () => {
  const caller = newCaller();
  const { token } = await check('mint/api', caller);
  changing.notReadyReason = 'the key-encryption key is another one';
  expect((await check('mint/api', caller)).token).toBe(token);
  const denied = await check('mint/api', newCaller());
  expect(denied.status).toBe(503);
  expect(denied.event).toMatchObject({ reason: 'the key-encryption key is another one' });
});

describe('the tokens of a resource', () => {
  const both = (own: SigningAlgorithm) =>
    changing.set([key(first), key(es384), key(next), key(nextEs384)], { algorithm: own });

  test.each<SigningAlgorithm>(['ES256', 'ES384'])(
    'are signed with its signing_alg, whatever that of the server is: %s',
    async (own) => {
      both(own);
      const caller = newCaller();
      expect((await check('mint/es384', caller)).alg).toBe('ES384');
      expect((await check('mint/api', caller)).alg).toBe(own);
      now = start + HOUR;
      const { alg, kid } = await check('mint/es384', newCaller());
      expect([alg, kid]).toEqual(['ES384', key(nextEs384).keyId]);
    },
  );

  test('are also signed with it in place of a presented token', async () => {
    both('ES256');
    const caller = newCaller();
    const { token, alg } = await check('mint/api', caller);
    expect(alg).toBe('ES256');
    const forwarded = await check('verify/es384', caller, token);
    expect([forwarded.status, forwarded.alg]).toEqual([200, 'ES384']);
  });

  test('are signed anew after it was changed', async () => {
    both('ES256');
    const caller = newCaller();
    expect((await check('mint/api', caller)).alg).toBe('ES256');
    edge.resources.set('api', resource({ name: 'api', signing_alg: 'ES384' }));
    expect((await check('mint/api', caller)).alg).toBe('ES384');
  });

  test('are not minted without a key of that algorithm, and the event names it', async () => {
    const denied = await check('mint/es384', newCaller());
    expect([denied.status, denied.error]).toEqual([503, 'temporarily_unavailable']);
    expect(denied.event).toMatchObject({ resource: 'es384', reason: 'no key of the keyring signs ES384' });
  });
});
