import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { createTrustStore } from '../../src/pki/path/trust-store.ts';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { sendRequest } from '../support/raw-http.ts';
import { registeredClient } from '../support/registered-client.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const td = 'spiffe://prod.example';
const billing = `${td}/ns/shop/sa/billing`;
const [ca, otherCa] = [createTestCa(), createTestCa({ subject: [['CN', 'Other CA']] })];
const caCertificates = [ca, otherCa].map(({ der }) => parseCaCertificate(der));
const [pin = '', otherPin = ''] = caCertificates.map(({ publicKeyThumbprint }) => publicKeyThumbprint);

let edge: EdgeServer;
beforeAll(async () => {
  edge = await startEdge({ clients: [], resources: [{ name: 'api' }] });
  edge.replaced.trust = createTrustStore(caCertificates);
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.clients.clear();
  edge.replaced.now = undefined;
  edge.events.splice(0);
});

const access = { scope: 'read', audience: 'https://api.example', grant_types: [] };

/** Registers clients that are named like the paths of their patterns. */
function register(...paths: readonly (string | [path: string, fields: object])[]): void {
  for (const [path, fields] of paths.map((each) => (typeof each === 'string' ? ([each, {}] as const) : each))) {
    const spiffe = { tls_client_auth_spiffe_id: `${td}/${path}`, tls_client_auth_ca: [pin] };
    edge.clients.set(path, registeredClient({ client_id: path, ...access, ...spiffe, ...fields }));
  }
}

async function check(certificate: MintedCertificate, path = '/edge/mint/api', lines: string[] = []) {
  const forwarded = `X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`;
  const response = await sendRequest(edge.url, { method: 'GET', path, lines: [forwarded, ...lines] });
  const header = (name: string) => response.headers.get(`x-countersign-${name}`);
  const token = response.headers.get('authorization')?.replace(/^Bearer /, '');
  return { ...response, header, token, event: edge.events.at(-1) };
}
const svid = (...uris: string[]) => ca.issue({ uris });

describe('an SVID at the edge', () => {
  test('gets a token with its SPIFFE ID as sub, as a client that is registered by a pattern', async () => {
    register('ns/*/sa/billing');
    const { status, token, header, event } = await check(svid(billing));
    expect(status).toBe(200);
    expect(decodeJwt(token ?? '')).toMatchObject({ sub: billing, client_id: 'ns/*/sa/billing' });
    expect([header('subject'), header('client-id')]).toEqual([billing, 'ns/*/sa/billing']);
    expect(event).toMatchObject({ event: 'edge_token_minted', sub: billing, spiffe_id: billing });
  });

  test('never gets the token of another SVID of the same client', async () => {
    register('ns/*/sa/billing');
    const ids = ['shop', 'store', 'shop'].map((namespace) => `${td}/ns/${namespace}/sa/billing`);
    const leaves = ids.map((id) => [id, svid(id)] as const);
    for (const [id, leaf] of [...leaves, ...leaves]) {
      const { token, header } = await check(leaf);
      expect([decodeJwt(token ?? '').sub, header('subject')]).toEqual([id, id]);
    }
  });

  test('has its token verified, which the event shows', async () => {
    register('ns/*/sa/billing');
    const leaf = svid(billing);
    const { token } = await check(leaf);
    const { status, header } = await check(leaf, '/edge/verify/api', [`Authorization: Bearer ${token}`]);
    expect([status, header('subject')]).toEqual([200, billing]);
    const verified = edge.events.find(({ event }) => event === 'edge_token_verified');
    expect(verified).toMatchObject({ sub: billing, spiffe_id: billing });
  });

  test.each<[string, readonly string[], string]>([
    ['its ID before patterns', ['ns/*/*/*', 'ns/*/sa/billing', 'ns/shop/sa/billing'], 'ns/shop/sa/billing'],
    ['more literal segments before fewer', ['ns/*/sa/*', 'ns/*/sa/billing', 'ns/*/*/*'], 'ns/*/sa/billing'],
    [
      'a more specific pattern before two that overlap',
      ['*/shop/sa/*', 'ns/*/*/billing', 'ns/*/sa/billing'],
      'ns/*/sa/billing',
    ],
  ])('is the client that is registered by %s', async (_, paths, expected) => {
    for (const order of [paths, paths.toReversed()]) {
      edge.clients.clear();
      register(...order);
      expect((await check(svid(billing))).header('client-id')).toBe(expected);
    }
  });

  test('that matches two equally specific patterns is denied, and the event names both', async () => {
    register('ns/*/sa/billing', 'ns/shop/sa/*', 'ns/*/sa/*');
    const { status, event } = await check(svid(billing));
    expect(status).toBe(403);
    expect(event).toMatchObject({ reason: expect.stringContaining('"ns/*/sa/billing", "ns/shop/sa/*";') });
  });

  test('that also is a registered certificate is denied', async () => {
    register('ns/*/sa/billing');
    const leaf = svid(billing);
    const certificates = [{ thumbprint: leaf.thumbprint }];
    edge.clients.set('pinned', registeredClient({ client_id: 'pinned', ...access, certificates }));
    expect((await check(leaf)).status).toBe(403);
  });

  test('of a disabled client is not that of a pattern instead', async () => {
    register(['ns/shop/sa/billing', { enabled: false }], 'ns/*/sa/billing');
    const { status, event } = await check(svid(billing));
    expect(status).toBe(401);
    expect(event).toMatchObject({ reason: expect.stringContaining('"ns/shop/sa/billing": the client is disabled') });
    expect((await check(svid(`${td}/ns/other/sa/billing`))).status).toBe(200);
  });

  test('from the CA of another trust domain is denied, or the client of that CA', async () => {
    register('ns/*/sa/billing');
    const impostor = otherCa.issue({ uris: [billing] });
    const { status, event } = await check(impostor);
    expect(status).toBe(401);
    expect(event).toMatchObject({ spiffe_id: billing, reason: expect.stringContaining('is pinned to CA key') });
    register(['ns/*/sa/*', { tls_client_auth_ca: [otherPin] }]);
    expect((await check(impostor)).header('client-id')).toBe('ns/*/sa/*');
  });

  test.each<[string, MintedCertificate]>([
    ['two URIs', svid(billing, `${billing}2`)],
    ['an encoded slash', svid(`${td}/ns/a%2Fb/sa/billing`)],
    ['a trust domain in capitals', svid('spiffe://PROD.example/ns/shop/sa/billing')],
    ['a wildcard', svid(`${td}/ns/*/sa/billing`)],
    ['a longer path', svid(`${billing}/x`)],
  ])('with %s is unknown', async (_, leaf) => {
    register('ns/*/sa/billing', 'ns/shop/sa/billing', 'ns/*/sa/*');
    const { status, header, event } = await check(leaf);
    expect([status, header('error')]).toEqual([401, 'invalid_client']);
    expect(event).toMatchObject({ event: 'edge_check_denied' });
  });
});

test('a minted token never outlives the certificate, and there is none in its last second', async () => {
  register('ns/*/sa/billing');
  const notAfter = Math.ceil(Date.now() / 1000) * 1000 + 3_600_000;
  const leaf = ca.issue({ uris: [billing], notAfter: new Date(notAfter) });
  for (const [before, status] of [
    [30_000, 200],
    [1, 200],
    [0, 401],
    [-999, 401],
    [-1000, 401],
  ] as const) {
    edge.replaced.now = notAfter - before;
    const response = await check(leaf);
    expect([before, response.status]).toEqual([before, status]);
    if (status === 200) expect(decodeJwt(response.token ?? '').exp).toBe(notAfter / 1000);
  }
});
