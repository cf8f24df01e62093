import { writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa, type MintedCertificate, selfSigned, thumbprintOf } from '../support/certificates.ts';
import { type RunningCountersign, startCountersign } from '../support/countersign.ts';
import { openssl } from '../support/openssl.ts';
import { type RawOptions, sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The edge of a real server. The test is the proxy. */
const folder = temporaryDirectory();
const caller = selfSigned();
const proxy = selfSigned();
const proxyThumbprint = thumbprintOf(proxy.der);
const secret = 's'.repeat(32);
const forwarded = `X-SSL-Client-Cert: ${encodeURIComponent(caller.pem)}`;
const audience = 'https://api.example';
const resource = { resource: audience, scope: 'read', binding: 'caller' };
const records = {
  clients: [
    {
      client_id: 'a',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      scope: 'read',
      audience,
      certificates: [{ pem: caller.pem }],
    },
  ],
  resources: [
    { ...resource, name: 'api' },
    {
      ...resource,
      name: 'proxied',
      binding: 'proxy',
      proxy_thumbprints: [thumbprintOf(selfSigned().der), proxyThumbprint],
    },
  ],
};

async function start(env: Readonly<Record<string, string>>) {
  const key = join(folder, 'key.pem');
  writeFileSync(key, await openssl(['genpkey', '-algorithm', 'ed25519']), { mode: 0o600 });
  const file = join(folder, 'records.json');
  writeFileSync(file, JSON.stringify(records));
  const server = await startCountersign({
    env: {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'haproxy',
      COUNTERSIGN_EDGE_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_SIGNING_KEY_FILE: key,
      COUNTERSIGN_CLIENTS_FILE: file,
      ...env,
    },
  });
  const { url } = await server.waitForEvent(({ event }) => event === 'edge_listening');
  return { server, edge: String(url) };
}

/** Sends a check, and resolves to its response with the claims of its token. */
async function check(url: string, path: string, lines: readonly string[] = [forwarded], options: RawOptions = {}) {
  const response = await sendRequest(url, { method: 'GET', path, lines }, options);
  const token = response.headers.get('authorization')?.replace(/^Bearer /, '');
  return { ...response, claims: token === undefined ? undefined : decodeJwt(token) };
}

describe('a server with an edge over HTTP', () => {
  let server: RunningCountersign;
  let edge: string;
  beforeAll(async () => {
    ({ server, edge } = await start({ COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0', COUNTERSIGN_PROXY_SECRET: secret }));
  });
  afterAll(() => server.stop());

  test('logs its terminator on startup', () => {
    const starting = server.lines.find(({ event }) => event === 'starting');
    expect(starting?.message).toMatch(/; edge: client certificate: nginx in x-ssl-client-cert, chain not verified/);
  });

  test('mints a token for the trusted proxy', async () => {
    const { status, claims } = await check(edge, '/edge/mint/api', [
      forwarded,
      `X-Countersign-Proxy-Secret: ${secret}`,
    ]);
    expect(status).toBe(200);
    expect(claims).toMatchObject({ aud: audience, client_id: 'a', cnf: { 'x5t#S256': thumbprintOf(caller.der) } });
  });

  test.each([
    ['no proxy secret', []],
    ['another proxy secret', [`X-Countersign-Proxy-Secret: ${'t'.repeat(32)}`]],
  ])('mints none for a peer with %s', async (_, lines) => {
    const { status, claims } = await check(edge, '/edge/mint/api', [forwarded, ...lines]);
    expect([status, claims]).toEqual([401, undefined]);
  });

  test('serves checks neither on the public nor on the operations listener', async () => {
    for (const path of ['/edge/mint/api', '/edge/verify/api', '/edge/either/api']) {
      const { status, headers } = await check(server.url, path, [forwarded, `X-Countersign-Proxy-Secret: ${secret}`]);
      expect([status, headers.has('authorization')]).toEqual([404, false]);
      expect(await server.fetchOperations(path)).toMatchObject({ status: 404 });
    }
  });

  test.each(['/token', '/jwks', '/.well-known/oauth-authorization-server', '/metrics', '/readyz', '/'])(
    'serves no %s on the edge listener',
    async (path) => {
      const { status, headers } = await check(edge, path);
      expect([status, headers.get('x-countersign-error')]).toEqual([403, 'unknown_route']);
    },
  );

  test('counts checks', async () => {
    const { body } = await server.fetchOperations('/metrics');
    expect(body).toContain('countersign_requests_total{endpoint="edge_mint",outcome="minted",code=""} 1');
  });
});

test('an edge over HTTPS binds a token to the certificate that the proxy presents to it', async () => {
  const ca = createTestCa({ subject: [['CN', 'Server CA']] });
  const { cert, key } = ca.issue({ eku: 'server', dns: ['localhost'] }).writeTo(folder, 'server');
  const { server, edge } = await start({
    COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_TLS_CERTIFICATE_FILE: cert,
    COUNTERSIGN_TLS_KEY_FILE: key,
    COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: proxyThumbprint,
  });
  const as = ({ pem, privateKeyPem }: MintedCertificate) => ({ tls: { ca: ca.pem, cert: pem, key: privateKeyPem } });
  const { status, claims } = await check(edge, '/edge/mint/proxied', [forwarded], as(proxy));
  expect([status, claims?.cnf]).toEqual([200, { 'x5t#S256': proxyThumbprint }]);
  const updating = await sendRequest(
    edge,
    { method: 'UPDATE', path: '/edge/mint/proxied', lines: [forwarded] },
    as(proxy),
  );
  expect(updating.headers.get('authorization')).toMatch(/^Bearer /);
  const other = await check(edge, '/edge/mint/proxied', [forwarded], as(selfSigned()));
  expect([other.status, other.claims]).toEqual([401, undefined]);
  await server.stop();
});

test('an edge on a Unix socket is for the owner and the group of the socket, until the server stops', async () => {
  const path = join(folder, 'edge.sock');
  const { server, edge } = await start({ COUNTERSIGN_EDGE_LISTEN: `unix:${path}` });
  expect(edge).toBe(`unix:${path}`);
  expect((await stat(path)).mode & 0o777).toBe(0o660);
  expect((await check(edge, '/edge/mint/api')).status).toBe(200);
  expect(await server.stop()).toBe(0);
  await expect(check(edge, '/edge/mint/api')).rejects.toThrow(/ENOENT/);
});
