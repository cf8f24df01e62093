import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RevocableToken } from '../../src/tokens/revocation/token-revocations.ts';
import { createTestCa, type MintedCertificate, selfSigned, thumbprintOf } from '../support/certificates.ts';
import { sendRequest } from '../support/raw-http.ts';
import { registeredClient } from '../support/registered-client.ts';
import { type EdgeServer, ISSUER, resource, startEdge } from './edge-server.ts';

const caller = selfSigned({ subject: [['CN', 'billing']] });
const pinned = (certificate: MintedCertificate, fields: object = {}) =>
  registeredClient({
    client_id: 'billing',
    scope: 'read write',
    audience: ['https://api.example', 'https://other.example'],
    certificates: [{ pem: certificate.pem }],
    ...fields,
  });
const proxyThumbprints = [thumbprintOf(selfSigned().der), thumbprintOf(selfSigned().der)];
const resources = [
  { name: 'api' },
  { name: 'api2', access_token_lifetime: 10 },
  { name: 'both', scope: 'read write' },
  { name: 'admin', scope: 'read admin' },
  { name: 'foreign', resource: 'https://foreign.example' },
  { name: 'proxied', binding: 'proxy', proxy_thumbprints: proxyThumbprints },
  { name: 'unbound', binding: 'none' },
];

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({ clients: [], resources });
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.clients.clear();
  edge.clients.set('billing', pinned(caller));
  for (const record of resources) edge.resources.set(record.name, resource(record));
  edge.replaced.now = undefined;
  edge.replaced.revocation = undefined;
  edge.events.splice(0);
});

/** A check with this certificate. Each test has its own, since tokens are reused for the same one. */
async function check(path: string, certificate: MintedCertificate | null = caller, lines: string[] = []) {
  const forwarded = certificate ? [`X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`] : [];
  const response = await sendRequest(edge.url, { method: 'GET', path, lines: [...forwarded, ...lines] });
  const token = response.headers.get('authorization')?.replace(/^Bearer /, '');
  return { ...response, token, error: response.headers.get('x-countersign-error'), event: edge.events.at(-1) };
}
const claimsOf = (token: string | undefined) => decodeJwt(token ?? '');

/** A client with a certificate of its own, for which no token was minted yet. */
function newCaller(fields: object = {}): MintedCertificate {
  const certificate = selfSigned();
  edge.clients.set('billing', pinned(certificate, fields));
  return certificate;
}

describe('a minted token', () => {
  test.each([
    ['isolated', { audience: 'https://other.example', isolated_audience: 'https://api.example' }],
    ['registered in an equivalent spelling', { audience: ['HTTPS://API.example/', 'https://other.example'] }],
  ])('is for the resource alone if its audience is %s', async (_, fields) => {
    const { status, token } = await check('/edge/mint/api', newCaller(fields));
    expect([status, claimsOf(token).aud]).toEqual([200, 'https://api.example']);
  });

  test('is an access token for the resource alone, bound to the caller', async () => {
    const { status, token, headers } = await check('/edge/mint/api');
    expect(status).toBe(200);
    expect(decodeProtectedHeader(token ?? '')).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: edge.signingKey.keyId });
    const { iat = 0, ...claims } = claimsOf(token);
    expect(claims).toEqual({
      iss: ISSUER,
      sub: 'billing',
      aud: 'https://api.example',
      client_id: 'billing',
      nbf: iat,
      exp: iat + 60,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      scope: 'read',
      cnf: { 'x5t#S256': thumbprintOf(caller.der) },
    });
    expect(headers.get('x-countersign-expires')).toBe(String(claims.exp));
  });

  test('is bound to the first certificate of the proxy, which presented none to the edge', async () => {
    const { token } = await check('/edge/mint/proxied');
    expect(claimsOf(token).cnf).toEqual({ 'x5t#S256': proxyThumbprints[0] });
  });

  test('has no cnf if its resource declares binding: none', async () => {
    const { status, token } = await check('/edge/mint/unbound');
    expect(status).toBe(200);
    expect(claimsOf(token)).not.toHaveProperty('cnf');
  });

  test('has the claims of the client', async () => {
    const { token } = await check('/edge/mint/api', newCaller({ claims: { tenant: 'a' } }));
    expect(claimsOf(token)).toMatchObject({ tenant: 'a' });
  });

  test('has the scopes of the resource, and no others of the client', async () => {
    const { token, headers } = await check('/edge/mint/both');
    expect([claimsOf(token).scope, headers.get('x-countersign-scope')]).toEqual(['read write', 'read write']);
  });

  test('expires with the certificate at the latest', async () => {
    const notAfter = new Date((Math.floor(Date.now() / 1000) + 20) * 1000);
    const certificate = selfSigned({ notAfter });
    edge.clients.set('billing', pinned(certificate));
    const { token } = await check('/edge/mint/api', certificate);
    expect(claimsOf(token).exp).toBe(notAfter.getTime() / 1000);
  });

  test('is issued to a client without a grant type', async () => {
    expect((await check('/edge/mint/api', newCaller({ grant_types: [] }))).status).toBe(200);
  });

  test('is one audit event with the claims, and without the token', async () => {
    const { token, event } = await check('/edge/mint/api', newCaller());
    const { jti, exp = 0 } = claimsOf(token);
    expect(event).toEqual({
      event: 'edge_token_minted',
      peer: '127.0.0.1',
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      duration_ms: expect.any(Number),
      route: 'mint',
      resource: 'api',
      subject: 'CN=client',
      issuer: 'CN=client',
      serial_number: expect.stringMatching(/^[0-9A-F]+$/),
      thumbprint: expect.any(String),
      client_id: 'billing',
      method: 'self_signed_tls_client_auth',
      scope: 'read',
      audience: ['https://api.example'],
      jti,
      kid: edge.signingKey.keyId,
      expires_at: new Date(exp * 1000).toISOString(),
    });
    expect(edge.events).toHaveLength(1);
  });
});

describe('a token is reused', () => {
  test('for the same certificate and resource, without a further event', async () => {
    const certificate = newCaller();
    const first = await check('/edge/mint/api', certificate);
    const second = await check('/edge/either/api/other?path', certificate);
    expect(second.headerLines).toEqual(first.headerLines);
    expect(edge.events).toHaveLength(1);
  });

  test('for half of its lifetime', async () => {
    const certificate = newCaller();
    const start = Math.ceil(Date.now() / 1000) * 1000;
    edge.replaced.now = start;
    const { token } = await check('/edge/mint/api2', certificate);
    edge.replaced.now = start + 4_999;
    expect((await check('/edge/mint/api2', certificate)).token).toBe(token);
    edge.replaced.now = start + 5_000;
    const renewed = await check('/edge/mint/api2', certificate);
    expect(renewed.token).not.toBe(token);
    expect(claimsOf(renewed.token).exp).toBe((start + 15_000) / 1000);
  });
});

describe('a token is not reused', () => {
  test.each<[string, (certificate: MintedCertificate) => void]>([
    ['after the client has changed', (certificate) => edge.clients.set('billing', pinned(certificate))],
    ['after the resource has changed', () => edge.resources.set('api', resource({ name: 'api' }))],
    ['before it was issued, by a clock that was set back', () => (edge.replaced.now = Date.now() - 30_000)],
  ])('%s', async (_, change) => {
    const certificate = newCaller();
    const { token } = await check('/edge/mint/api', certificate);
    change(certificate);
    const next = await check('/edge/mint/api', certificate);
    expect(next.status).toBe(200);
    expect(next.token).not.toBe(token);
  });

  test('once it is revoked', async () => {
    const certificate = newCaller();
    const { token } = await check('/edge/mint/api', certificate);
    const { jti, iat } = claimsOf(token);
    const asked: RevocableToken[] = [];
    edge.replaced.revocation = (revocable) => {
      asked.push(revocable);
      return revocable.tokenId === jti ? 'is revoked' : undefined;
    };
    const next = await check('/edge/mint/api', certificate);
    expect([next.status, next.token === token]).toEqual([200, false]);
    expect(asked).toEqual([{ tokenId: jti, clientId: 'billing', audience: ['https://api.example'], issuedAt: iat }]);
    expect((await check('/edge/mint/api', certificate)).token).toBe(next.token);
  });

  test('for another resource of the same audience', async () => {
    const certificate = newCaller();
    const tokens = [await check('/edge/mint/api', certificate), await check('/edge/mint/api2', certificate)];
    expect(tokens[0]?.token).not.toBe(tokens[1]?.token);
  });

  test('for another certificate of the same client', async () => {
    const certificates = [selfSigned(), selfSigned()] as const;
    edge.clients.set('billing', pinned(caller, { certificates: certificates.map(({ pem }) => ({ pem })) }));
    const thumbprints = [];
    for (const certificate of certificates) {
      const { token } = await check('/edge/mint/api', certificate);
      thumbprints.push(claimsOf(token).cnf);
    }
    expect(thumbprints).toEqual(certificates.map(({ der }) => ({ 'x5t#S256': thumbprintOf(der) })));
  });

  const denials: [string, (certificate: MintedCertificate) => void, number, string][] = [
    [
      'after the client was disabled',
      (certificate) => edge.clients.set('billing', pinned(certificate, { enabled: false })),
      401,
      'invalid_client',
    ],
    ['after the client was removed', () => edge.clients.clear(), 401, 'invalid_client'],
    ['after the resource was removed', () => edge.resources.delete('api'), 403, 'unknown_route'],
    [
      'after the certificate expired',
      () => (edge.replaced.now = Date.now() + 400 * 24 * 3_600_000),
      401,
      'invalid_client',
    ],
    [
      'after the client lost the scope',
      (certificate) => edge.clients.set('billing', pinned(certificate, { scope: 'write' })),
      403,
      'insufficient_scope',
    ],
    [
      'after another client was registered by the certificate',
      (certificate) => edge.clients.set('other', pinned(certificate, { client_id: 'other' })),
      403,
      'access_denied',
    ],
  ];
  test.each(denials)('%s', async (_, change, status, error) => {
    const certificate = newCaller();
    expect((await check('/edge/mint/api', certificate)).status).toBe(200);
    change(certificate);
    const next = await check('/edge/mint/api', certificate);
    expect([next.status, next.error, next.token]).toEqual([status, error, undefined]);
  });
});

describe('no token is minted', () => {
  const denials: [string, () => MintedCertificate | null, string, number, string, RegExp][] = [
    ['without a certificate', () => null, 'api', 401, 'invalid_client', /^no certificate: /],
    [
      'for an unknown certificate',
      () => selfSigned(),
      'api',
      401,
      'invalid_client',
      /^the certificate is not registered, and the certificate's chain is not verified: .* no known issuer/,
    ],
    [
      'for an expired certificate',
      () => selfSigned({ notAfter: new Date(Date.now() - 60_000) }),
      'api',
      401,
      'invalid_client',
      /expired/,
    ],
    ['for a scope that the client lacks', () => caller, 'admin', 403, 'insufficient_scope', /scope "admin"/],
    [
      'for a resource that the client lacks',
      () => caller,
      'foreign',
      403,
      'insufficient_scope',
      /"https:\/\/foreign.example"/,
    ],
    ['for a resource without a record', () => caller, 'nothing', 403, 'unknown_route', /"nothing"/],
  ];
  test.each(denials)('%s', async (_, certificate, name, status, error, reason) => {
    const denied = await check(`/edge/mint/${name}`, certificate());
    expect([denied.status, denied.error, denied.token]).toEqual([status, error, undefined]);
    expect(denied.event).toMatchObject({
      event: 'edge_check_denied',
      route: 'mint',
      error,
      status,
      reason: expect.stringMatching(reason),
    });
  });

  test('for a scope that belongs to another audience', async () => {
    const audience = { read: 'https://other.example', write: 'https://api.example' };
    const denied = await check('/edge/mint/api', newCaller({ audience }));
    expect([denied.status, denied.error]).toEqual([403, 'insufficient_scope']);
  });

  test('for a certificate that authenticates two clients, which the event names', async () => {
    edge.clients.set('second', pinned(caller, { client_id: 'second' }));
    const { status, error, event } = await check('/edge/mint/both');
    expect([status, error]).toEqual([403, 'access_denied']);
    expect(event).toMatchObject({ reason: expect.stringMatching(/"billing", "second"/) });
    expect(event).not.toHaveProperty('client_id');
  });

  test('for a certificate of which only a name is registered, in a chain that is not verified', async () => {
    const named = createTestCa().issue({ dns: ['billing.example'] });
    edge.clients.set('named', registeredClient({ client_id: 'named', tls_client_auth_san_dns: 'billing.example' }));
    const { status, event } = await check('/edge/mint/api', named);
    expect(status).toBe(401);
    expect(event).toMatchObject({ reason: expect.stringMatching(/"named": the certificate's chain is not verified/) });
  });
});

test('a disabled client does not make a certificate ambiguous', async () => {
  edge.clients.set('second', pinned(caller, { client_id: 'second', enabled: false }));
  const { status, headers } = await check('/edge/mint/api');
  expect([status, headers.get('x-countersign-client-id')]).toEqual([200, 'billing']);
});

describe('either', () => {
  test('mints without Authorization', async () => {
    const { status, event } = await check('/edge/either/api', newCaller());
    expect(status).toBe(200);
    expect(event).toMatchObject({ event: 'edge_token_minted', route: 'either' });
  });

  test.each([
    ['a bad token', ['Authorization: Bearer x']],
    ['another scheme', ['Authorization: Basic YTpi']],
    ['an empty value', ['Authorization: ']],
    ['two values', ['Authorization: Bearer a.b.c', 'Authorization: Bearer a.b.c']],
  ])('never mints with Authorization: %s', async (_, lines) => {
    const { status, token } = await check('/edge/either/api', caller, lines);
    expect([status, token]).toEqual([401, undefined]);
    expect(edge.events).toEqual([expect.objectContaining({ event: 'edge_check_denied', route: 'either' })]);
  });

  test('verifies a token of the same certificate', async () => {
    const certificate = newCaller();
    const { token } = await check('/edge/mint/api', certificate);
    const { status } = await check('/edge/either/api', certificate, [`Authorization: Bearer ${token}`]);
    expect(status).toBe(200);
    expect(edge.events.map(({ event }) => event)).toContain('edge_token_verified');
  });
});

test('verify never mints', async () => {
  const { status, error } = await check('/edge/verify/api');
  expect([status, error]).toEqual([401, 'invalid_request']);
});

test('checks are counted by route, outcome and code, and by known resource', async () => {
  const own = await startEdge({ clients: [pinned(caller)], resources });
  const forwarded = `X-SSL-Client-Cert: ${encodeURIComponent(caller.pem)}`;
  const send = (path: string) => sendRequest(own.url, { method: 'GET', path: `/edge/${path}`, lines: [forwarded] });
  own.replaced.isLogWritten = false;
  for (const path of ['mint/api', 'either/none']) await send(path);
  own.replaced.isLogWritten = true;
  for (const path of [
    'mint/api',
    'mint/api',
    'either/api',
    'mint/none-1',
    'mint/none-2',
    'mint/admin',
    '?',
    'rejected',
  ])
    await send(path);
  const lines = (await own.metrics.render()).split('\n');
  const counted = (name: string) => lines.filter((line) => line.startsWith(name) && !line.endsWith(' 0')).sort();
  expect(counted('countersign_requests_total')).toEqual([
    'countersign_requests_total{endpoint="edge_either",outcome="rejected",code="audit_unwritable"} 1',
    'countersign_requests_total{endpoint="edge_either",outcome="reused",code=""} 1',
    'countersign_requests_total{endpoint="edge_mint",outcome="minted",code=""} 1',
    'countersign_requests_total{endpoint="edge_mint",outcome="rejected",code="audit_unwritable"} 1',
    'countersign_requests_total{endpoint="edge_mint",outcome="rejected",code="resource_unknown"} 2',
    'countersign_requests_total{endpoint="edge_mint",outcome="rejected",code="scope_unregistered"} 1',
    'countersign_requests_total{endpoint="edge_mint",outcome="reused",code=""} 1',
    'countersign_requests_total{endpoint="edge_rejected",outcome="rejected",code="path_issuer_unknown"} 1',
    'countersign_requests_total{endpoint="edge_unknown",outcome="rejected",code="route_unknown"} 1',
  ]);
  expect(counted('countersign_edge_checks_total')).toEqual([
    'countersign_edge_checks_total{resource="",outcome="rejected"} 5',
    'countersign_edge_checks_total{resource="admin",outcome="rejected"} 1',
    'countersign_edge_checks_total{resource="api",outcome="minted"} 1',
    'countersign_edge_checks_total{resource="api",outcome="rejected"} 1',
    'countersign_edge_checks_total{resource="api",outcome="reused"} 2',
  ]);
  await own.close();
});
