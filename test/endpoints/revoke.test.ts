import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import { signJws } from '../support/sign-jws.ts';
import { certificateLine, claimsFor, client, startTokenServer, type TokenServer } from './token-server.ts';

const form = 'Content-Type: application/x-www-form-urlencoded';
const past = Math.floor(Date.now() / 1000) - 7_200;

let server: TokenServer;
beforeAll(async () => {
  server = await startTokenServer(['owner', 'other'], [{ introspection: ['other'] }]);
});
afterAll(() => server?.close());
beforeEach(() => {
  Object.assign(server.replaced, { registry: {}, keyring: {}, now: undefined, check: undefined, revoke: undefined });
  server.events.splice(0);
  server.revoked.splice(0);
});

const revoke = (caller: string, token: string, more: Readonly<Record<string, string>> = {}) =>
  server.post('/revoke', caller, { token, ...more });

test('a client revokes a token of its own', async () => {
  const response = await revoke('owner', server.sign(claimsFor('owner')));
  expect([response.status, response.body]).toEqual([200, '']);
  expect(['cache-control', 'pragma'].map((name) => response.headers.get(name))).toEqual(['no-store', 'no-cache']);
  expect(server.revoked).toMatchObject([{ tokenId: 'an-id', clientId: 'owner' }]);
  expect(server.events).toMatchObject([
    { event: 'token_revoked', client_id: 'owner', jti: 'an-id', expires_at: expect.any(String) },
  ]);
});

test.each(['access_token', 'refresh_token', 'unknown', ''])(
  'the token_type_hint "%s" does not matter',
  async (hint) => {
    expect((await revoke('owner', server.sign(claimsFor('owner')), { token_type_hint: hint })).status).toBe(200);
    expect(server.revoked).toHaveLength(1);
  },
);

test('a token that is bound to no certificate, or to another one, can be revoked by its client', async () => {
  for (const cnf of [undefined, claimsFor('owner').cnf])
    await revoke('owner', server.sign(claimsFor('owner', { cnf })));
  expect(server.revoked).toHaveLength(2);
});

describe('the response is 200, and nothing is revoked, for a token that is', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  test.each<[title: string, token: () => string, reason: RegExp]>([
    ['not a JWT', () => 'x', /^the token: is not a signed JWT/],
    ['as long as a request may be', () => 'x'.repeat(60_000), /^the token: is 60000 characters long/],
    [
      'signed by another key',
      () => signJws({ alg: 'ES256', typ: 'at+jwt', kid: server.keyId }, claimsFor('owner'), other),
      /^the token: the signature is not/,
    ],
    ['of another type', () => server.sign(claimsFor('owner'), { typ: 'JWT' }), /^the token: is not an access token/],
    [
      'of another issuer',
      () => server.sign(claimsFor('owner', { iss: 'https://x.example' })),
      /^the token: its iss is/,
    ],
    [
      'expired',
      () => server.sign(claimsFor('owner', { iat: past, nbf: past, exp: past + 60 })),
      /^the token: expired at/,
    ],
    [
      "expired and another client's",
      () => server.sign(claimsFor('other', { iat: past, nbf: past, exp: past + 60 })),
      /^the token: expired at/,
    ],
  ])('%s', async (_, mint, reason) => {
    const response = await revoke('owner', mint());
    expect([response.status, response.body]).toEqual([200, '']);
    expect(server.revoked).toEqual([]);
    expect(server.events).toMatchObject([
      { event: 'revocation_ignored', client_id: 'owner', active: false, reason: expect.stringMatching(reason) },
    ]);
  });
});

// Another replica may still accept the token: the clocks of replicas may differ by five minutes.
test.each([
  ['is not valid yet', { nbf: past + 7_400, exp: past + 7_500 }],
  ['has expired a minute ago', { exp: past + 7_140 }],
])('a token of the caller that %s by the clock of this replica is revoked', async (_, times) => {
  const response = await revoke('owner', server.sign(claimsFor('owner', { iat: past, nbf: past, ...times })));
  expect(response.status).toBe(200);
  expect(server.revoked).toMatchObject([{ tokenId: 'an-id' }]);
  expect(server.events).toMatchObject([{ event: 'token_revoked', jti: 'an-id' }]);
});

test("another client's token is invalid_grant, also for a client that may introspect it", async () => {
  const response = await revoke('other', server.sign(claimsFor('owner')));
  expect([response.status, response.json().error]).toEqual([400, 'invalid_grant']);
  expect(response.headers.get('www-authenticate')).toBeNull();
  expect(server.revoked).toEqual([]);
  expect(server.events).toMatchObject([
    {
      event: 'revocation_rejected',
      client_id: 'other',
      token_client_id: 'owner',
      jti: 'an-id',
      error: 'invalid_grant',
      status: 400,
      reason: 'the token was issued to "owner"',
    },
  ]);
});

test('while it is not certain that the revocation is stored, the response is 503 with Retry-After', async () => {
  server.replaced.revoke = () =>
    Promise.reject(
      new OAuthError('redis_unavailable', {
        description: 'The token was not revoked; try again.',
        reason: 'Redis is unreachable',
        headers: { 'retry-after': '1' },
      }),
    );
  const response = await revoke('owner', server.sign(claimsFor('owner')));
  expect([response.status, response.headers.get('retry-after'), response.json().error]).toEqual([
    503,
    '1',
    'temporarily_unavailable',
  ]);
  expect(server.events).toMatchObject([{ event: 'revocation_rejected', reason: 'Redis is unreachable' }]);
});

test('a token of the caller that is revoked already is revoked again: an earlier request may have failed halfway', async () => {
  server.replaced.check = () => 'was revoked';
  expect((await revoke('owner', server.sign(claimsFor('owner')))).status).toBe(200);
  expect(server.revoked).toHaveLength(1);
  expect((await revoke('other', server.sign(claimsFor('owner')))).status).toBe(200);
  expect(server.revoked).toHaveLength(1);
});

describe('rejected is', () => {
  const own = () => certificateLine(server.certificateOf('owner'));

  test.each<[title: string, body: string, status: number, error: string]>([
    ['a request without a token', 'client_id=owner', 400, 'invalid_request'],
    ['an empty token', 'client_id=owner&token=', 400, 'invalid_request'],
    ['a repeated token', 'client_id=owner&token=a&token=a', 400, 'invalid_request'],
    ['a request without a client', 'token=a', 401, 'invalid_client'],
    ['an unknown client', 'client_id=unknown&token=a', 401, 'invalid_client'],
    ['a certificate of another client', 'client_id=other&token=a', 401, 'invalid_client'],
  ])('%s', async (_, body, status, error) => {
    const response = await server.send({ path: '/revoke', lines: [form, own()], body });
    expect([response.status, response.json().error]).toEqual([status, error]);
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="countersign"' : null);
    expect(server.events).toMatchObject([{ event: 'revocation_rejected', error, status }]);
  });

  test.each([
    ['GET', '/revoke?token=a&client_id=owner', 405],
    ['POST', '/revoke?token=a', 400],
    ['DELETE', '/revoke', 405],
  ])('%s %s', async (method, path, status) => {
    const response = await server.send({ method, path, lines: [form, own()], body: 'client_id=owner&token=a' });
    expect([response.status, response.json().error]).toEqual([status, 'invalid_request']);
  });

  test('a disabled client, whose tokens are inactive anyway', async () => {
    const token = server.sign(claimsFor('owner'));
    server.clients.set('owner', client('owner', server.certificateOf('owner'), { enabled: false }));
    expect((await revoke('owner', token)).status).toBe(401);
    server.clients.set('owner', client('owner', server.certificateOf('owner')));
    expect(server.revoked).toEqual([]);
  });
});

test('requests are counted by their outcome', async () => {
  const fresh = await startTokenServer(['owner', 'other']);
  await fresh.post('/revoke', 'owner', { token: fresh.sign(claimsFor('owner')) });
  await fresh.post('/revoke', 'owner', { token: 'x' });
  await fresh.post('/revoke', 'other', { token: fresh.sign(claimsFor('owner')) });
  const counts = (await fresh.metrics.render())
    .split('\n')
    .filter((line) => /^countersign_requests_total.* [1-9]/.test(line));
  expect(counts).toEqual([
    'countersign_requests_total{endpoint="revocation",outcome="revoked",code=""} 1',
    'countersign_requests_total{endpoint="revocation",outcome="ignored",code="token_malformed"} 1',
    'countersign_requests_total{endpoint="revocation",outcome="rejected",code="token_of_other_client"} 1',
  ]);
  await fresh.close();
});

describe('the revocation endpoint', () => {
  const documents = ['oauth-authorization-server', 'openid-configuration'].map((name) => `/.well-known/${name}`);
  const get = async (from: TokenServer, path: string) => (await from.send({ method: 'GET', path })).json();

  test('is in both metadata documents, with its alias', async () => {
    for (const path of documents) {
      expect(await get(server, path)).toMatchObject({
        introspection_endpoint: 'https://auth.example/introspect',
        introspection_endpoint_auth_methods_supported: ['tls_client_auth', 'self_signed_tls_client_auth'],
        introspection_signing_alg_values_supported: ['ES256'],
        revocation_endpoint: 'https://auth.example/revoke',
        revocation_endpoint_auth_methods_supported: ['tls_client_auth', 'self_signed_tls_client_auth'],
        mtls_endpoint_aliases: {
          token_endpoint: 'https://mtls.auth.example/token',
          introspection_endpoint: 'https://mtls.auth.example/introspect',
          revocation_endpoint: 'https://mtls.auth.example/revoke',
        },
      });
    }
  });

  test('does not exist without a store of revocations, and the metadata does not name it', async () => {
    const without = await startTokenServer(['owner'], [], { canRevoke: false });
    expect((await without.post('/revoke', 'owner', { token: 'x' })).status).toBe(404);
    expect((await without.post('/introspect', 'owner', { token: 'x' })).status).toBe(200);
    for (const path of documents) {
      const metadata = await get(without, path);
      expect(JSON.stringify(metadata)).not.toContain('revo');
      expect(metadata).toMatchObject({ introspection_endpoint: 'https://auth.example/introspect' });
    }
    await without.close();
  });
});
