import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import { RecentExpiries } from '../src/authentication/recent-expiries.ts';
import { createMemoryRegistry } from '../src/clients/registry/memory-registry.ts';
import { TokenRates } from '../src/grants/token-rates.ts';
import { describeListenAddress } from '../src/http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../src/http/listener.ts';
import { createAuditLog } from '../src/observability/audit.ts';
import { createMetrics } from '../src/observability/metrics.ts';
import { addRequestMetrics } from '../src/observability/request-metrics.ts';
import { createAccessTokenVerifier } from '../src/tokens/access-token-verifier.ts';
import { singleKey } from '../src/tokens/keyring/single-key.ts';
import { readSigningKey } from '../src/tokens/signing-key.ts';
import { openssl } from './support/openssl.ts';
import { sendRequest } from './support/raw-http.ts';

/** An internal error that no request can provoke: a store that fails in an unforeseen way. */
const detail = 'connection to 10.0.0.7 with password hunter2 failed';
const lines: { fields: Record<string, unknown>; level: string }[] = [];
const write = (level: string) => (fields: object) => void lines.push({ level, fields: { ...fields } });
let listener: HttpListener;
let url: string;

beforeAll(async () => {
  const issuer = 'https://auth.example/tenant';
  const keyring = singleKey(await readSigningKey(await openssl(['genpkey', '-algorithm', 'ed25519']), undefined));
  const app = createApp({
    issuer,
    mtlsUrl: 'https://auth.example/mtls',
    listensOn: 'tcp',
    expiries: new RecentExpiries(),
    readContext: () => ({}),
    readCertificate: () => ({ kind: 'none', code: 'certificate_missing', reason: 'there is none' }),
    registry: {
      ...createMemoryRegistry(
        { current: () => ({ clients: new Map(), resources: new Map() }), stop: () => {} },
        'nowhere',
      ),
      find: () => Promise.reject(new Error(detail)),
    },
    keyring,
    tokenRates: new TokenRates(),
    accessTokens: createAccessTokenVerifier({ issuer, keyring, revocations: undefined }),
    revocations: undefined,
    auditLog: createAuditLog(
      { info: write('info'), warn: write('warn'), error: write('error') },
      addRequestMetrics(createMetrics()),
      () => Promise.resolve(true),
    ),
    now: Date.now,
  });
  listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, app.fetch, () => {});
  url = describeListenAddress(listener.address);
});
afterAll(() => listener.close());

test('an internal error is server_error for the caller; the audit event has the details', async () => {
  const body = { grant_type: 'client_credentials', client_id: 'a' };
  const response = await sendRequest(url, { body, lines: ['Connection: close'] });
  expect(response.status).toBe(500);
  expect(response.json()).toEqual({ error: 'server_error', error_description: expect.any(String) });
  expect(JSON.stringify([response.body, response.headerLines])).not.toContain('hunter2');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: 'error',
    fields: {
      event: 'token_rejected',
      client_id: 'a',
      error: 'server_error',
      status: 500,
      reason: `unexpected: ${detail}`,
    },
  });
});

describe('an endpoint is served under one spelling of its path', () => {
  const post = (path: string) => sendRequest(url, { path, body: { client_id: 'a' }, lines: ['Connection: close'] });

  test.each(['/token', '/tenant/token', '/mtls/token', 'http://elsewhere.example/token'])('%s is it', async (path) => {
    expect((await post(path)).status).toBe(500);
  });

  test.each([
    '/%74oken',
    '/tok%65n',
    '/%2ftoken',
    '/tenant%2Ftoken',
    '/./token',
    '/%2e/token',
    '/x/../token',
    '/x/%2e%2e/token',
    '/token/.',
    '/token/',
    '//token',
    '/Token',
    '/token;x',
    '/token%3F',
    '/token#x',
    '/token%00',
    '/.well-known/../token',
    'http://auth.example/./token',
    'http://auth.example/tok%65n',
    'http://auth.example',
  ])('%s is not', async (path) => {
    expect((await post(path)).status).toBe(404);
  });
});

describe('published documents', () => {
  const get = (path: string, more: string[] = []) =>
    sendRequest(url, { method: 'GET', path, lines: ['Connection: close', ...more] });

  test.each([
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server/tenant',
    '/tenant/.well-known/openid-configuration',
    '/mtls/.well-known/openid-configuration',
  ])('the metadata at %s', async (path) => {
    const response = await get(path, ['Accept: application/xml']);
    expect(response.json()).toMatchObject({
      issuer: 'https://auth.example/tenant',
      token_endpoint: 'https://auth.example/tenant/token',
      jwks_uri: 'https://auth.example/tenant/jwks',
      mtls_endpoint_aliases: { token_endpoint: 'https://auth.example/mtls/token' },
      token_endpoint_auth_methods_supported: ['tls_client_auth', 'self_signed_tls_client_auth'],
      grant_types_supported: ['client_credentials'],
      tls_client_certificate_bound_access_tokens: true,
    });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
  });

  test('are not sent again to who has them', async () => {
    const etag = String((await get('/jwks')).headers.get('etag'));
    for (const value of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      expect((await get('/jwks', [`If-None-Match: ${value}`])).status).toBe(304);
    }
    expect((await get('/jwks', ['If-None-Match: "x"'])).status).toBe(200);
  });

  test.each(['POST', 'DELETE'])('are only read: not by %s', async (method) => {
    const response = await sendRequest(url, { method, path: '/jwks', body: '', lines: ['Connection: close'] });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('have a head without a body', async () => {
    const { status, headers } = await fetch(`${url}/jwks`, { method: 'HEAD' });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/jwk-set+json']);
  });
});
