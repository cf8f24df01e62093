import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { RecentExpiries } from '../../src/authentication/recent-expiries.ts';
import { createMemoryRegistry } from '../../src/clients/registry/memory-registry.ts';
import { TokenRates } from '../../src/grants/token-rates.ts';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { type HttpListener, openHttpListener } from '../../src/http/listener.ts';
import { createAuditLog } from '../../src/observability/audit.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { addRequestMetrics } from '../../src/observability/request-metrics.ts';
import { createAccessTokenVerifier } from '../../src/tokens/access-token-verifier.ts';
import type { KeyringKey } from '../../src/tokens/keyring/live-keyring.ts';
import { changingKeyring, newKey } from '../support/changing-keyring.ts';
import { sendRequest } from '../support/raw-http.ts';

const HOUR = 3_600_000;
const start = Date.UTC(2026, 10, 1);
const documents = ['/jwks', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
let now = start;
const changing = changingKeyring([], { retention: HOUR, now: () => now });
let listener: HttpListener;
let url: string;
let first: KeyringKey;
let second: KeyringKey;
let other: KeyringKey;

beforeAll(async () => {
  first = await newKey('ES256');
  second = await newKey('ES256', start + HOUR);
  other = await newKey('EdDSA', start + HOUR);
  const issuer = 'https://auth.example';
  const { keyring } = changing;
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const records = { clients: new Map(), resources: new Map() };
  const app = createApp({
    issuer,
    mtlsUrl: issuer,
    listensOn: 'tcp',
    expiries: new RecentExpiries(),
    readContext: () => ({}),
    readCertificate: () => ({ kind: 'none', code: 'certificate_missing', reason: 'there is none' }),
    registry: createMemoryRegistry({ current: () => records, stop: () => {} }, 'nowhere'),
    keyring,
    tokenRates: new TokenRates(),
    accessTokens: createAccessTokenVerifier({ issuer, keyring, revocations: undefined }),
    revocations: undefined,
    auditLog: createAuditLog(log, addRequestMetrics(createMetrics()), async () => true),
    now: () => now,
  });
  listener = await openHttpListener({ kind: 'tcp', host: '127.0.0.1', port: 0 }, app.fetch, () => {});
  url = describeListenAddress(listener.address);
});
afterAll(() => listener?.close());
beforeEach(() => {
  now = start;
  changing.set([first]);
});

const get = (path: string, etag?: string, method = 'GET') => {
  const condition = etag === undefined ? [] : [`If-None-Match: ${etag}`];
  return sendRequest(url, { method, path, lines: [...condition, 'Connection: close'] });
};
const etagOf = async (path: string) => (await get(path)).headers.get('etag') ?? '';
const kids = async () => {
  const { keys }: { keys: { kid: string }[] } = JSON.parse((await get('/jwks')).body);
  return keys.map(({ kid }) => kid);
};
const algorithms = async () =>
  JSON.parse((await get('/.well-known/openid-configuration')).body).id_token_signing_alg_values_supported;

describe.each(documents)('%s', (path) => {
  test('has a strong ETag and may be cached for five minutes', async () => {
    const { status, headers } = await get(path);
    expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
    expect(headers.get('etag')).toMatch(/^"[\w-]{43}"$/);
  });

  test('has another body and ETag after its keys have changed, and the former ones after they changed back', async () => {
    const before = await get(path);
    changing.set([first, other]);
    const after = await get(path, before.headers.get('etag') ?? '');
    changing.set([first]);
    const restored = await get(path);
    expect([restored.body, restored.headers.get('etag')]).toEqual([before.body, before.headers.get('etag')]);
    if (path === '/.well-known/oauth-authorization-server') expect(after.status).toBe(304);
    else {
      expect(after.status).toBe(200);
      expect(after.body).not.toBe(before.body);
      expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
    }
  });

  test.each(['GET', 'HEAD'])('answers %s with 304 exactly as long as it is unchanged', async (method) => {
    const etag = await etagOf(path);
    expect((await get(path, etag, method)).status).toBe(304);
    // The same keys in another object are no change.
    changing.set([{ ...first }]);
    expect((await get(path, etag, method)).status).toBe(304);
    changing.set([other]);
    now = start + HOUR;
    expect((await get(path, etag, method)).status).toBe(200);
  });

  test('is unavailable without a key, and not to be cached: recipients keep the one that they have', async () => {
    changing.set([]);
    const { status, headers, body } = await get(path);
    expect([status, headers.get('cache-control'), headers.get('retry-after')]).toEqual([503, 'no-store', '5']);
    expect(headers.has('etag')).toBe(false);
    expect(JSON.parse(body)).toMatchObject({ error: 'temporarily_unavailable' });
  });

  test('is published by a replica whose keys must not sign', async () => {
    changing.notReadyReason = 'the key-encryption key is another one';
    expect((await get(path)).status).toBe(200);
    changing.notReadyReason = undefined;
  });
});

test('the JWKS has the next key in advance, and the retired one until its tokens have expired', async () => {
  changing.set([first, second]);
  const both = [first.keyId, second.keyId];
  expect(await kids()).toEqual(both);
  const etag = await etagOf('/jwks');
  now = start + HOUR;
  expect(changing.keyring.signingKey().keyId).toBe(second.keyId);
  expect([await kids(), await etagOf('/jwks')]).toEqual([both, etag]);
  now = start + 2 * HOUR - 1;
  expect(await kids()).toEqual(both);
  now = start + 2 * HOUR;
  expect(await kids()).toEqual([second.keyId]);
});

test('the JWKS lacks a withdrawn key at once', async () => {
  changing.set([first, second]);
  await kids();
  changing.set([second]);
  expect(await kids()).toEqual([second.keyId]);
});

test('openid-configuration lists the algorithms of next and retired keys as well, that of the server first', async () => {
  changing.set([first, other]);
  expect(await algorithms()).toEqual(['ES256', 'EdDSA', 'RS256']);
  now = start + HOUR;
  expect(await algorithms()).toEqual(['EdDSA', 'ES256', 'RS256']);
  changing.set([other]);
  expect(await algorithms()).toEqual(['EdDSA', 'RS256']);
});

test('openid-configuration lists the algorithms of published keys while none of them can sign', async () => {
  changing.set([{ ...first, signer: undefined }]);
  expect(changing.keyring.algorithms).toEqual([]);
  expect(await algorithms()).toEqual(['ES256', 'RS256']);
});
