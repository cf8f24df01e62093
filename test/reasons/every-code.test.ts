import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Client } from '../../src/clients/client.ts';
import { lookupFailed } from '../../src/clients/registry/lookup-failed.ts';
import { peerOf } from '../../src/endpoints/request.ts';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { explainBodyError, explainError } from '../../src/http/malformed-reasons.ts';
import { invalidClient } from '../../src/oauth/oauth-error.ts';
import type { Reason } from '../../src/reasons/reason.ts';
import { type ReasonCode, reasons } from '../../src/reasons/reasons.ts';
import { parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import { digestProxySecret, type Peer, type ProxyTrust, untrustedReason } from '../../src/terminator/trusted-proxy.ts';
import { noSigningKey } from '../../src/tokens/keyring/single-key.ts';
import {
  API,
  certificateLine,
  claimsFor,
  client,
  startTokenServer,
  type TokenServer,
} from '../endpoints/token-server.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { hugeCertificate } from '../support/der-surgery.ts';
import type { RawRequest } from '../support/raw-http.ts';
import { registeredClient } from '../support/registered-client.ts';
import { repositoryRoot } from '../support/repository-root.ts';

const anyPin = { kind: 'pinned', thumbprints: new Set(['x']) } as const;

let server: TokenServer;
const ca = createTestCa();
const issued = ca.issue({ dns: ['a.example'] });
const named = { token_endpoint_auth_method: 'tls_client_auth' };
const open = { name: 'open', resource: 'https://open.example', introspection: ['a'] };
beforeAll(async () => {
  server = await startTokenServer(['a', 'b'], [{ name: 'api' }, open]);
  const own = server.certificateOf('a');
  server.clients.set('off', client('off', own, { enabled: false }));
  server.clients.set('no-grant', client('no-grant', own, { grant_types: [] }));
  server.clients.set(
    'scoped',
    client('scoped', own, { scope: 'read', audience: [API], isolated_audience: 'https://i' }),
  );
  server.clients.set('later', registration({ not_before: '2999-01-01' }));
  server.clients.set('over', registration({ not_after: '2001-01-01' }));
  const registered = client('no-method', own);
  // Safe: a record whose method no table has, which cannot be parsed.
  const registrations = [{ method: 'private_key_jwt' }] as unknown as Client['registrations'];
  server.clients.set('no-method', { ...registered, registrations });
  server.clients.set('named', registeredClient({ client_id: 'named', ...named, tls_client_auth_san_dns: 'b.example' }));
});
afterAll(() => server.close());

function registration(period: object) {
  const certificates = [{ thumbprint: server.certificateOf('a').thumbprint, ...period }];
  return registeredClient({ client_id: 'x', token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates });
}

const form = { grant_type: 'client_credentials', client_id: 'a' };
const own = () => [certificateLine(server.certificateOf('a'))];
const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
const day = 86_400_000;

/** A token request that has the code in its audit event. */
const tokenRequests: Partial<Record<ReasonCode, () => RawRequest>> = {
  method_not_allowed: () => ({ method: 'GET' }),
  query_not_allowed: () => ({ path: '/token?a=b', body: form }),
  content_type_repeated: () => ({ lines: ['Content-Type: a/b', 'Content-Type: a/b'], body: 'a' }),
  content_type_unsupported: () => ({ lines: ['Content-Type: application/json'], body: '{}' }),
  charset_unsupported: () => ({
    lines: ['Content-Type: application/x-www-form-urlencoded; charset=utf-16'],
    body: 'a=b',
  }),
  content_encoding_unsupported: () => ({ lines: ['Content-Encoding: gzip'], body: form }),
  content_range_unsupported: () => ({ lines: ['Content-Range: bytes 0-1/2'], body: form }),
  body_too_large: () => ({ body: { a: 'x'.repeat(70_000) } }),
  form_malformed: () => ({ lines: ['Content-Type: application/x-www-form-urlencoded'], body: 'a=%x' }),
  parameter_repeated: () => ({ lines: ['Content-Type: application/x-www-form-urlencoded'], body: 'a=b&a=b' }),
  grant_type_missing: () => ({ lines: own(), body: { client_id: 'a' } }),
  grant_type_unsupported: () => ({ lines: own(), body: { ...form, grant_type: 'password' } }),
  grant_type_unregistered: () => ({ lines: own(), body: { ...form, client_id: 'no-grant' } }),
  scope_malformed: () => ({ lines: own(), body: { ...form, client_id: 'scoped', scope: '"' } }),
  scope_unregistered: () => ({ lines: own(), body: { ...form, client_id: 'scoped', scope: 'write' } }),
  resource_malformed: () => ({ lines: own(), body: { ...form, client_id: 'scoped', resource: '/a' } }),
  resource_unregistered: () => ({ lines: own(), body: { ...form, client_id: 'scoped', resource: 'https://x' } }),
  resource_isolated: () => ({
    lines: [...own(), 'Content-Type: application/x-www-form-urlencoded'],
    body: `grant_type=client_credentials&client_id=scoped&resource=https://i&resource=${API}`,
  }),
  early_data: () => ({ lines: [...own(), 'Early-Data: 1'], body: form }),
  header_stripped: () => ({ lines: [...own(), 'Connection: x-ssl-client-cert'], body: form }),
  forwarded_header_repeated: () => ({ lines: [...own(), ...own()], body: form }),
  certificate_header_malformed: () => ({ lines: ['X-SSL-Client-Cert: x'], body: form }),
  certificate_missing: () => ({ body: form }),
  certificate_too_large: () => ({ lines: [certificateLine(hugeCertificate(ca, 17_000))], body: form }),
  certificate_is_ca: () => ({ lines: [certificateLine(ca)], body: form }),
  client_id_missing: () => ({ lines: own(), body: { grant_type: 'client_credentials' } }),
  client_id_malformed: () => ({ lines: own(), body: { ...form, client_id: 'ä' } }),
  client_id_mismatch: () => ({ lines: [...own(), basic('b:')], body: form }),
  authorization_unsupported: () => ({ lines: [...own(), 'Authorization: Digest x'], body: form }),
  authorization_malformed: () => ({ lines: [...own(), basic('a')], body: form }),
  authentication_methods_multiple: () => ({ lines: own(), body: { ...form, client_secret: 'x' } }),
  client_unknown: () => ({ lines: own(), body: { ...form, client_id: 'nobody' } }),
  client_disabled: () => ({ lines: own(), body: { ...form, client_id: 'off' } }),
  client_method_unsupported: () => ({ lines: own(), body: { ...form, client_id: 'no-method' } }),
  client_method_mismatch: () => ({ body: { ...form, client_secret: 'x' } }),
  certificate_unregistered: () => ({ lines: [certificateLine(server.certificateOf('b'))], body: form }),
  certificate_expired: () => ({
    lines: [certificateLine(selfSigned({ notBefore: new Date(0), notAfter: new Date(day) }))],
    body: form,
  }),
  certificate_not_yet_valid: () => ({
    lines: [
      certificateLine(selfSigned({ notBefore: new Date(Date.now() + day), notAfter: new Date(Date.now() + 2 * day) })),
    ],
    body: form,
  }),
  registration_not_started: () => ({ lines: own(), body: { ...form, client_id: 'later' } }),
  registration_ended: () => ({ lines: own(), body: { ...form, client_id: 'over' } }),
  path_issuer_unknown: () => ({ lines: [certificateLine(issued)], body: { ...form, client_id: 'named' } }),
};

/** Claims or a header of a token that introspection reports as not active for this reason. */
const tokens: Partial<Record<ReasonCode, () => string>> = {
  token_malformed: () => 'opaque',
  token_type_wrong: () => server.sign(claimsFor('a'), { typ: 'JWT' }),
  token_key_unknown: () => server.sign(claimsFor('a'), { kid: 'another' }),
  token_algorithm_mismatch: () => server.sign(claimsFor('a'), { alg: 'ES384' }),
  token_signature_invalid: () => `${server.sign(claimsFor('a')).slice(0, -86)}${'A'.repeat(86)}`,
  token_issuer_mismatch: () => server.sign(claimsFor('a', { iss: 'https://other.example' })),
  token_expired: () => server.sign(claimsFor('a', { exp: 1_000 })),
  token_not_yet_valid: () => server.sign(claimsFor('a', { nbf: Math.floor(Date.now() / 1000) + 60 })),
  introspection_unregistered: () => server.sign(claimsFor('b')),
  token_client_unknown: () => server.sign(claimsFor('nobody', { aud: 'https://open.example' })),
  token_client_disabled: () => server.sign(claimsFor('off', { aud: 'https://open.example' })),
};

/** By the error code of Node. */
const malformed: Partial<Record<ReasonCode, string>> = {
  header_field_malformed: 'HPE_LF_EXPECTED',
  header_too_large: 'HPE_HEADER_OVERFLOW',
  http_malformed: 'HPE_STRICT',
  http_version_unsupported: 'HPE_PAUSED_H2_UPGRADE',
  transfer_encoding_invalid: 'HPE_INVALID_TRANSFER_ENCODING',
  content_length_invalid: 'HPE_INVALID_CONTENT_LENGTH',
  target_invalid: 'HPE_INVALID_URL',
  request_timeout: 'ERR_HTTP_REQUEST_TIMEOUT',
  connection_lost: 'ECONNRESET',
  protocol_mismatch: 'ERR_SSL_HTTP_REQUEST',
  tls_handshake_failed: 'ERR_SSL_ANYTHING',
};

const lastCode = () => server.events.at(-1)?.code;

describe('the audit event has the code', () => {
  test.each(Object.entries(tokenRequests))('%s of a token request', async (code, request) => {
    await server.send(request());
    // On a busy machine, the failed validations before this one have used up their time.
    for (let repeats = 0; lastCode() === 'path_validation_overloaded' && repeats < 3; repeats += 1)
      await server.send(request());
    expect([lastCode(), server.events.at(-1)?.reason]).toEqual([code, expect.any(String)]);
  });

  test.each(Object.entries(tokens))('%s of an introspected token', async (code, token) => {
    const response = await server.post('/introspect', 'a', { token: token() });
    expect([lastCode(), response.json()]).toEqual([code, { active: false }]);
  });
});

test.each(Object.entries(malformed))('%s is the code of %s', (code, cause) => {
  expect(explainError(Object.assign(new Error(), { code: cause })).code).toBe(code);
});

test('token_client_record_invalid is the code of a token whose client is invalid', async () => {
  server.replaced.registry.find = async (id) => {
    if (id === 'a') return server.clients.get('a');
    throw invalidClient('client_record_invalid', 'x');
  };
  await server.post('/introspect', 'a', { token: server.sign(claimsFor('b', { aud: open.resource })) });
  server.replaced.registry = {};
  expect(lastCode()).toBe('token_client_record_invalid');
});

test.each<[ReasonCode, Peer, Partial<ProxyTrust>]>([
  ['proxy_secret_mismatch', { kind: 'unix' }, { proxySecretDigests: [digestProxySecret('x')] }],
  ['proxy_untrusted', { kind: 'address', address: '192.0.2.1' }, {}],
  ['proxy_secret_missing', { kind: 'unix' }, { proxySecretDigests: [digestProxySecret('x')] }],
  ['proxy_certificate_missing', { kind: 'unix' }, { proxyCertificateRules: [anyPin] }],
  [
    'proxy_certificate_rejected',
    { kind: 'tls', address: '127.0.0.1', certificate: { kind: 'unacceptable', reason: 'x' }, now: 0 },
    { proxyCertificateRules: [anyPin] },
  ],
])('%s is the code of an untrusted peer', (code, peer, more) => {
  const trust = {
    trustedAddresses: parseTrustedAddresses().addresses,
    proxySecretDigests: [],
    proxyCertificateRules: [],
  };
  const lines = code === 'proxy_secret_mismatch' ? ['X-Countersign-Proxy-Secret', 'another'] : [];
  expect(untrustedReason(peer, new HeaderFields(lines), { ...trust, ...more })?.code).toBe(code);
});

test('a request about a token has the codes token_missing and token_of_other_client', async () => {
  await server.post('/introspect', 'a', {});
  expect(lastCode()).toBe('token_missing');
  await server.post('/revoke', 'a', { token: server.sign(claimsFor('b')) });
  expect(lastCode()).toBe('token_of_other_client');
});

test('connection_closed is the code of a request whose peer is gone before its address is known', () => {
  const closed = { socket: new Socket() };
  expect(() => peerOf(closed, 'tcp', 0)).toThrow(expect.objectContaining({ code: 'connection_closed' }));
});

/** Requests that are rejected without an audit event, and the error of their response. */
test.each<[ReasonCode, RawRequest, number]>([
  ['endpoint_unknown', { path: '/tokens', body: form }, 404],
  ['authorization_endpoint_unused', { method: 'GET', path: '/authorize' }, 400],
  ['keys_unpublished', { method: 'GET', path: '/jwks' }, 503],
  ['audit_unwritable', { body: form }, 503],
])('the response of %s has the error of the table, and no audit event', async (code, request, status) => {
  Object.assign(server.replaced, { keyring: { published: [] }, isLogWritten: false });
  onTestFinished(() => void Object.assign(server.replaced, { keyring: {}, isLogWritten: true }));
  const { error, isAudited }: Reason = reasons[code];
  const { status: received, json } = await server.send(request);
  expect({ status: received, ...json() }).toMatchObject({ status, error });
  expect([isAudited, server.events.map((event) => event.code)]).toEqual([false, expect.not.arrayContaining([code])]);
});

test('errors without a request have their codes', () => {
  expect(explainBodyError(Object.assign(new Error(), { code: 'HPE_STRICT' })).code).toBe('chunk_malformed');
  expect(lookupFailed('x', new Error('y')).code).toBe('redis_unavailable');
  expect(noSigningKey('x').code).toBe('signing_key_unavailable');
});

const textsOf = (folder: string) =>
  readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => (name.endsWith('.ts') && !name.startsWith('reasons/')) || /-codes\.test\.ts$/.test(name))
    .map((name) => readFileSync(join(repositoryRoot, folder, name), 'utf8'))
    .join('\n');

test('each code of the table is the reason of something', () => {
  const source = textsOf('src');
  expect(Object.keys(reasons).filter((code) => !source.includes(`'${code}'`))).toEqual([]);
});

/** Expected above, besides those of the tables. */
const others: readonly ReasonCode[] = [
  'proxy_untrusted',
  'proxy_secret_mismatch',
  'token_client_record_invalid',
  'proxy_secret_missing',
  'proxy_certificate_missing',
  'proxy_certificate_rejected',
  'token_missing',
  'token_of_other_client',
  'chunk_malformed',
  'redis_unavailable',
  'signing_key_unavailable',
  'connection_closed',
  'endpoint_unknown',
  'authorization_endpoint_unused',
  'keys_unpublished',
  'audit_unwritable',
];

test('each code of the table is expected by a test', () => {
  const here = [...[tokenRequests, tokens, malformed].flatMap((table) => Object.keys(table)), ...others];
  const elsewhere = textsOf('test');
  const missing = Object.keys(reasons).filter((code) => !here.includes(code) && !elsewhere.includes(`'${code}'`));
  expect(missing).toEqual([]);
});
