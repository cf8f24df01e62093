import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../../src/clients/client.ts';
import { parseClient } from '../../src/clients/parse-client.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { createTrustStore } from '../../src/pki/path/trust-store.ts';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { defaultPolicy } from '../support/policy.ts';
import { sendRequest } from '../support/raw-http.ts';
import { type EdgeServer, ISSUER, resource, startEdge } from './edge-server.ts';

const ca = createTestCa();
const trust = createTrustStore([parseCaCertificate(ca.der)]);
const certificate = ca.issue({ dns: ['billing.example'] });
/** The client's own, but not the one that its token is bound to. */
const renewed = ca.issue({ dns: ['billing.example'] });
const sameKey = ca.issue({ dns: ['billing.example'], keys: certificate.keys });
const otherCertificate = ca.issue({ dns: ['other.example'] });
const untrusted = createTestCa().issue({ dns: ['billing.example'] });
const expired = ca.issue({ dns: ['billing.example'], notBefore: new Date(0), notAfter: new Date(86_400_000) });

const record = {
  client_id: 'billing',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'billing.example',
  scope: 'read write admin',
  audience: ['https://api.example', 'https://other.example'],
};
const resources = [
  {},
  { name: 'write', scope: 'read write', forward: 'original', resource_metadata: 'https://api.example/metadata' },
  { name: 'headers-only', forward: 'none' },
  { name: 'minted', forward: 'minted' },
  { name: 'foreign', resource: 'https://foreign.example' },
  { name: 'unregistered-scope', scope: 'delete' },
].map((each) => ({ forward: 'original', ...each }));

const NOW = Date.now();
const seconds = Math.floor(NOW / 1000);
const claims = {
  iss: ISSUER,
  sub: 'billing',
  aud: ['https://api.example', 'https://foreign.example'],
  client_id: 'billing',
  iat: seconds,
  nbf: seconds,
  exp: seconds + 300,
  scope: 'read admin',
  cnf: { 'x5t#S256': certificate.thumbprint },
};

let edge: EdgeServer;
beforeAll(async () => {
  const other = { ...record, client_id: 'other', tls_client_auth_san_dns: 'other.example' };
  edge = await startEdge({ clients: [client(record), client(other)], resources });
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.clients.set('billing', client(record));
  edge.replaced.registry = {};
  edge.replaced.isLogWritten = true;
  edge.replaced.now = NOW;
  edge.replaced.trust = trust;
  edge.replaced.revocation = undefined;
  edge.events.length = 0;
});

function client(fields: object): Client {
  const parsed = parseClient({ ...record, ...fields }, defaultPolicy, 0);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.client;
}

let issued = 0;
async function token(changes: object = {}): Promise<string> {
  issued += 1;
  return edge.signingKey.sign({ ...claims, jti: `token-${issued}`, ...changes } as never);
}

interface Request {
  readonly path?: string;
  readonly presented?: MintedCertificate | undefined;
  readonly lines?: readonly string[];
}

const certificateLine = (presented: MintedCertificate) => `X-SSL-Client-Cert: ${encodeURIComponent(presented.pem)}`;

function check({ path = '/edge/verify/api', lines = [], ...request }: Request): Promise<HttpResponse> {
  const presented = 'presented' in request ? request.presented : certificate;
  return sendRequest(edge.url, {
    method: 'GET',
    path,
    lines: [...(presented ? [certificateLine(presented)] : []), ...lines],
  });
}

const bearer = (text: string) => [`Authorization: Bearer ${text}`];
const lastEvent = () => edge.events.at(-1);

describe('a bound token presented with its certificate', () => {
  test('is approved and forwarded as received', async () => {
    const text = await token();
    const response = await check({ lines: bearer(text) });
    expect(response.status).toBe(200);
    expect(response.headerLines).toEqual([
      `Authorization: Bearer ${text}`,
      'X-Countersign-Client-Id: billing',
      'X-Countersign-Subject: billing',
      'X-Countersign-Scope: read admin',
      'X-Countersign-Audience: https://api.example https://foreign.example',
      `X-Countersign-Expires: ${claims.exp}`,
      'Content-Length: 0',
    ]);
    expect(edge.events).toMatchObject([
      {
        event: 'edge_token_verified',
        route: 'verify',
        resource: 'api',
        client_id: 'billing',
        method: 'tls_client_auth',
        thumbprint: certificate.thumbprint,
        scope: 'read admin',
        audience: claims.aud,
        jti: `token-${issued}`,
        kid: edge.signingKey.keyId,
        expires_at: new Date(claims.exp * 1000).toISOString(),
      },
    ]);
    expect(JSON.stringify(edge.events)).not.toContain(text.split('.')[2]);
  });

  test('is approved but not forwarded if the resource receives headers only', async () => {
    const response = await check({ path: '/edge/verify/headers-only', lines: bearer(await token()) });
    expect(response.status).toBe(200);
    expect(response.headers.get('authorization')).toBeNull();
    expect(response.headers.get('x-envoy-auth-headers-to-remove')).toBe('authorization');
    expect(response.headers.get('x-countersign-client-id')).toBe('billing');
  });

  test('is replaced by one for the resource alone, with an event for each', async () => {
    const text = await token();
    const request = { path: '/edge/verify/minted', lines: bearer(text) };
    const response = await check(request);
    const [, forwarded = ''] = response.headers.get('authorization')?.split(' ') ?? [];
    expect(forwarded).not.toBe(text);
    const payload = JSON.parse(Buffer.from(forwarded.split('.')[1] ?? '', 'base64url').toString());
    expect(payload).toMatchObject({ sub: 'billing', aud: 'https://api.example', scope: 'read', cnf: claims.cnf });
    expect(edge.events).toMatchObject([
      { event: 'edge_token_verified', jti: `token-${issued}`, scope: 'read admin' },
      { event: 'edge_token_minted', jti: payload.jti, scope: 'read', client_id: 'billing', resource: 'minted' },
    ]);
    const repeated = await check(request);
    expect(repeated.headerLines).toEqual(response.headerLines);
    const another = await check({ ...request, lines: bearer(await token()) });
    expect(another.headers.get('authorization')).toBe(`Bearer ${forwarded}`);
    expect(edge.events.map(({ event }) => event)).toEqual([
      'edge_token_verified',
      'edge_token_minted',
      'edge_token_verified',
    ]);
  });

  test.each(['bearer', 'BEARER', 'Bearer  '])('is approved with the scheme "%s"', async (scheme) => {
    const text = await token();
    const response = await check({ lines: [`authorization: ${scheme} ${text}`] });
    expect(response.headers.get('authorization')).toBe(`Bearer ${text}`);
  });

  test('is approved on the route that also mints', async () => {
    const text = await token();
    const response = await check({ path: '/edge/either/api', lines: bearer(text) });
    expect(response.headers.get('authorization')).toBe(`Bearer ${text}`);
  });

  test.each([
    ['less than 5 s after it expired', { exp: seconds - 4 }],
    ['up to 5 s before it is valid', { nbf: seconds + 5 }],
    ['with a scope that is a list', { scope: ['read', 'admin'] }],
    ['with the audience of the resource alone', { aud: 'https://api.example' }],
    ['with an equivalent audience', { aud: 'HTTPS://api.example:443/' }],
    ['with claims of its client', { tenant: 'a', roles: ['x'] }],
  ])('is approved %s', async (_, changes) => {
    expect(await check({ lines: bearer(await token(changes)) })).toMatchObject({ status: 200 });
  });

  test('is approved with claims that a header field cannot hold, which are percent-encoded', async () => {
    const changes = { sub: ' ä\r\nX-Countersign-Scope: admin', aud: ['https://api.example', 'ä b'] };
    const response = await check({ lines: bearer(await token(changes)) });
    expect(response.headerLines).toContain('X-Countersign-Subject: %20%C3%A4%0D%0AX-Countersign-Scope: admin');
    expect(response.headerLines).toContain('X-Countersign-Audience: https://api.example %C3%A4%20b');
    expect(response.headers.get('x-countersign-scope')).toBe('read admin');
  });

  test('is approved without the scopes that its client has lost', async () => {
    edge.clients.set('billing', client({ scope: 'read write' }));
    const response = await check({ lines: bearer(await token()) });
    expect(response.headers.get('x-countersign-scope')).toBe('read');
  });
});

interface Denied extends Request {
  readonly reason: string;
  readonly code?: string;
  readonly challenge?: string;
}

const invalidToken = { code: 'invalid_token', challenge: 'Bearer error="invalid_token"' };

async function expectDenied({ reason, code, challenge, ...request }: Denied): Promise<void> {
  const response = await check(request);
  const expected = {
    code: invalidToken.code,
    challenge: invalidToken.challenge,
    ...(code && { code }),
    ...(challenge && { challenge }),
  };
  expect(lastEvent()).toMatchObject({ event: 'edge_check_denied', error: expected.code, status: response.status });
  expect(lastEvent()?.reason).toContain(reason);
  expect(edge.events).toHaveLength(1);
  expect(response.status).toBe(expected.code === 'insufficient_scope' ? 403 : 401);
  expect(response.headers.get('x-countersign-error')).toBe(expected.code);
  expect(response.headers.get('www-authenticate')).toBe(expected.challenge);
  expect(response.headers.get('authorization')).toBeNull();
  expect(response.headers.get('x-countersign-client-id')).toBeNull();
  expect(response.body).toBe('');
}

describe('a token is denied', () => {
  test.each<[string, MintedCertificate | undefined, string]>([
    ['with the certificate of another client', otherCertificate, 'registered is "billing.example"'],
    ['without a certificate', undefined, 'no certificate: the terminator forwarded no certificate'],
    [
      'with a renewed certificate of the same name',
      renewed,
      `it is bound to the certificate ${certificate.thumbprint}, and ${renewed.thumbprint} was presented`,
    ],
    ['with another certificate for the same key', sameKey, `and ${sameKey.thumbprint} was presented`],
    ['with a certificate of the same name from another CA', untrusted, 'chain is not verified'],
    ['with an expired certificate', expired, 'the certificate expired'],
    ['with a self-signed certificate', selfSigned({ dns: ['billing.example'] }), 'chain is not verified'],
  ])('%s', async (_, presented, reason) => {
    await expectDenied({ presented, lines: bearer(await token()), reason, ...invalidToken });
  });

  test.each<[string, object, string]>([
    ['that expired 5 s ago', { exp: seconds - 5 }, 'the access token: expired at'],
    ['that is not valid for more than 5 s', { nbf: seconds + 6 }, 'the access token: is not valid before'],
    ['without exp', { exp: undefined }, 'the access token: has no exp'],
    ['of another issuer', { iss: 'https://other.example' }, 'its iss is "https://other.example"'],
    [
      'for another resource',
      { aud: 'https://other.example' },
      'its aud is ["https://other.example"], and the resource is https://api.example',
    ],
    [
      'whose audience only starts with the resource',
      { aud: 'https://api.example/v2' },
      'and the resource is https://api.example',
    ],
    ['that is not bound', { cnf: undefined }, 'is not bound to a certificate: it has no cnf'],
    ['that is bound to a key as well', { cnf: { ...claims.cnf, jkt: 'a' } }, 'its cnf has the member "jkt"'],
    [
      'that is bound to another certificate',
      { cnf: { 'x5t#S256': otherCertificate.thumbprint } },
      `it is bound to the certificate ${otherCertificate.thumbprint}`,
    ],
    ['of a client that is not registered', { client_id: 'removed' }, 'no client is registered under this client_id'],
    ['of another client', { client_id: 'other' }, 'registered is "other.example"'],
  ])('%s', async (_, changes, reason) => {
    await expectDenied({ lines: bearer(await token(changes)), reason, ...invalidToken });
  });

  test('that is forged', async () => {
    const [header, payload] = (await token()).split('.');
    const forged = `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`;
    await expectDenied({ lines: bearer(forged), reason: 'the signature is not one of the key' });
  });

  test('of more than 16 KiB', async () => {
    const reason = 'at most 16384 are accepted';
    await expectDenied({ lines: bearer(await token({ pad: 'a'.repeat(13_000) })), reason });
  });

  test.each<[string, string, object, string, string]>([
    [
      'without a scope',
      '/edge/verify/api',
      { scope: undefined },
      'lacks the scope "read" of the resource; it has ""',
      'scope="read"',
    ],
    [
      'with some of the scopes',
      '/edge/verify/write',
      {},
      'lacks the scope "write" of the resource; it has "read admin"',
      'scope="read write", resource_metadata="https://api.example/metadata"',
    ],
    [
      'with a scope that its client does not have',
      '/edge/verify/unregistered-scope',
      { scope: 'delete' },
      'the client is not registered for scope "delete"',
      'scope="delete"',
    ],
    [
      'for a resource that its client does not have',
      '/edge/verify/foreign',
      {},
      'the client is not registered for resource "https://foreign.example"',
      'scope="read"',
    ],
  ])('%s', async (_, path, changes, reason, parameters) => {
    const challenge = `Bearer error="insufficient_scope", ${parameters}`;
    await expectDenied({ path, lines: bearer(await token(changes)), reason, code: 'insufficient_scope', challenge });
  });
});

describe('a request is denied', () => {
  test.each<[string, (text: string) => readonly string[], string, boolean]>([
    ['without a token', () => [], 'the request has no Authorization header', false],
    [
      'with two Authorization fields',
      (text) => [...bearer(text), ...bearer(text)],
      'Authorization appears 2 times',
      true,
    ],
    [
      'with two fields joined by a comma',
      (text) => bearer(`${text}, Bearer ${text}`),
      'Authorization contains a comma',
      true,
    ],
    ['with Basic', () => ['Authorization: Basic YTpi'], 'does not use the scheme Bearer', false],
    ['with DPoP', (text) => [`Authorization: DPoP ${text}`], 'does not use the scheme Bearer', false],
    ['with an empty field', () => ['Authorization:'], 'does not use the scheme Bearer', false],
    ['with the scheme alone', () => ['Authorization: Bearer'], 'Authorization contains no token', false],
    ['with a token that is not one', () => bearer('x'), 'does not consist of three segments', true],
    ['with a token in quotation marks', (text) => bearer(`"${text}"`), 'the signature is not base64url', true],
    ['with a token as a parameter', (text) => bearer(`token=${text}`), 'the header is not base64url', true],
    ['with a padded token', (text) => bearer(`${text}=`), 'the signature is not base64url', true],
    ['with a percent-encoded token', (text) => bearer(text.replace('.', '%2e')), 'of three segments', true],
    ['with a character beyond ASCII', (text) => bearer(`${text}\u00e4`), 'the signature is not base64url', true],
    [
      'with the token in another field',
      (text) => [`X-Authorization: Bearer ${text}`],
      'has no Authorization header',
      false,
    ],
  ])('%s', async (_, linesFor, reason, isToken) => {
    const expected = isToken ? invalidToken : { code: 'invalid_request', challenge: 'Bearer' };
    await expectDenied({ lines: linesFor(await token()), reason, ...expected });
  });

  test('with the token in the query', async () => {
    const path = `/edge/verify/api?access_token=${await token()}`;
    await expectDenied({ path, reason: 'has no Authorization header', code: 'invalid_request', challenge: 'Bearer' });
  });

  test('on the route that also mints, rather than minted for, whatever its Authorization is', async () => {
    for (const lines of [
      ['Authorization: Basic YTpi'],
      ['Authorization:'],
      bearer('x'),
      bearer(await token({ exp: 1 })),
    ]) {
      const response = await check({ path: '/edge/either/api', lines });
      expect(response.status).toBe(401);
      expect(lastEvent()).toMatchObject({ event: 'edge_check_denied', route: 'either' });
    }
  });
});

describe('a token that was approved before', () => {
  const approved = async () => {
    const lines = bearer(await token());
    expect(await check({ lines })).toMatchObject({ status: 200 });
    expect(await check({ lines })).toMatchObject({ status: 200 });
    edge.events.length = 0;
    return lines;
  };

  test.each<[string, object | undefined, string, boolean]>([
    ['is disabled', { enabled: false }, 'the client is disabled', false],
    ['is removed', undefined, 'no client is registered under this client_id', false],
    [
      'is registered by another name',
      { tls_client_auth_san_dns: 'renamed.example' },
      'registered is "renamed.example"',
      false,
    ],
    ['has lost the scope', { scope: 'write admin' }, 'the client is not registered for scope "read"', true],
    [
      'has lost the audience',
      { audience: ['https://other.example'] },
      'the client is not registered for resource',
      true,
    ],
    [
      'is pinned to another CA',
      { tls_client_auth_ca: [certificate.thumbprint] },
      'the client is pinned to CA key',
      false,
    ],
  ])('is denied once its client %s', async (_, changes, reason, isScope) => {
    const lines = await approved();
    if (changes) edge.clients.set('billing', client(changes));
    else edge.clients.delete('billing');
    const challenge = 'Bearer error="insufficient_scope", scope="read"';
    await expectDenied({ lines, reason, ...(isScope ? { code: 'insufficient_scope', challenge } : invalidToken) });
    edge.clients.set('billing', client(record));
    expect(await check({ lines })).toMatchObject({ status: 200 });
    // The token was seen before.
    expect(edge.events).toHaveLength(1);
  });

  test('is denied with another certificate, and without one', async () => {
    const lines = await approved();
    for (const presented of [renewed, otherCertificate, undefined]) {
      expect(await check({ lines, presented })).toMatchObject({ status: 401 });
    }
    expect(edge.events).toHaveLength(3);
    expect(await check({ lines })).toMatchObject({ status: 200 });
  });

  test('is denied once the CA is no longer trusted', async () => {
    const lines = await approved();
    edge.replaced.trust = createTrustStore([]);
    await expectDenied({ lines, reason: 'chain is not verified' });
  });

  test('is denied once it has expired', async () => {
    const lines = await approved();
    edge.replaced.now = (claims.exp + 5) * 1000;
    await expectDenied({ lines, reason: 'the access token: expired at' });
  });

  test('is denied once its resource has another audience, or requires more', async () => {
    const lines = await approved();
    edge.resources.set('api', resource({ resource: 'https://new.example', forward: 'original' }));
    await expectDenied({ lines, reason: 'and the resource is https://new.example' });
    edge.events.length = 0;
    edge.resources.set('api', resource({ scope: 'read write', forward: 'original' }));
    const challenge = 'Bearer error="insufficient_scope", scope="read write"';
    await expectDenied({ lines, reason: 'lacks the scope "write"', code: 'insufficient_scope', challenge });
    edge.resources.set('api', resource({ forward: 'none' }));
    const response = await check({ lines });
    expect(response.status).toBe(200);
    expect(response.headers.get('authorization')).toBeNull();
    edge.resources.set('api', resource({ forward: 'original' }));
  });

  test('is denied once it is revoked, known here or looked up, and the event names it', async () => {
    const lines = await approved();
    const jti = `token-${issued}`;
    for (const revocation of [() => 'is revoked', async () => 'is revoked']) {
      edge.replaced.revocation = revocation;
      await expectDenied({ lines, reason: 'the access token: is revoked' });
      expect(lastEvent()).toMatchObject({ client_id: 'billing', jti });
      edge.events.length = 0;
    }
    edge.replaced.revocation = async () => undefined;
    expect((await check({ lines })).status).toBe(200);
  });

  test('is neither approved nor denied while it is unknown whether it is revoked', async () => {
    const lines = await approved();
    edge.replaced.revocation = async () => {
      throw new OAuthError('redis_unavailable', { description: 'x', reason: 'Redis is down' });
    };
    const response = await check({ lines });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(lastEvent()).toMatchObject({ error: 'temporarily_unavailable', reason: 'Redis is down' });
  });

  test('is neither approved nor denied while its client cannot be looked up', async () => {
    const lines = await approved();
    edge.replaced.registry.find = async () => {
      throw new OAuthError('redis_unavailable', { description: 'x', reason: 'Redis is down' });
    };
    const response = await check({ lines });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(response.headers.get('x-countersign-error')).toBe('temporarily_unavailable');
    expect(response.headers.get('www-authenticate')).toBeNull();
  });
});

describe('the first use of a token', () => {
  test('at each resource is one event, even if its first requests arrive together', async () => {
    const lines = bearer(await token());
    const paths = ['/edge/verify/api', '/edge/verify/headers-only', '/edge/either/api'];
    const requests = Array.from({ length: 30 }, (_, index) => check({ path: paths[index % 3] ?? '', lines }));
    for (const response of await Promise.all(requests)) expect(response.status).toBe(200);
    expect(edge.events.map(({ event, resource: name }) => [event, name]).sort()).toEqual([
      ['edge_token_verified', 'api'],
      ['edge_token_verified', 'headers-only'],
    ]);
    const metrics = await edge.metrics.render();
    expect(metrics).toMatch(/edge_checks_total\{resource="headers-only",outcome="reverified"\} \d/);
    expect(metrics).toMatch(/requests_total\{endpoint="edge_verify",outcome="reverified",code=""\} \d/);
  });

  test('is not approved while its event cannot be written, and is the first one again', async () => {
    const lines = bearer(await token());
    edge.replaced.isLogWritten = false;
    const responses = await Promise.all([check({ lines }), check({ lines }), check({ lines })]);
    for (const response of responses) {
      expect(response.status).toBe(503);
      expect(response.headers.get('authorization')).toBeNull();
    }
    edge.replaced.isLogWritten = true;
    edge.events.length = 0;
    expect(await check({ lines })).toMatchObject({ status: 200 });
    expect(await check({ lines })).toMatchObject({ status: 200 });
    expect(edge.events).toMatchObject([{ event: 'edge_token_verified' }]);
  });

  test('is not the first one after a denial', async () => {
    const lines = bearer(await token());
    expect(await check({ lines, presented: renewed })).toMatchObject({ status: 401 });
    expect(await check({ lines })).toMatchObject({ status: 200 });
    expect(edge.events.map(({ event }) => event)).toEqual(['edge_check_denied', 'edge_token_verified']);
  });
});
