import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { formOf } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { documentedBlock } from '../support/documented-blocks.ts';
import { freePort } from '../support/free-port.ts';
import {
  clientIds,
  type HttpsServer,
  identityOf,
  serverCa,
  serverName,
  startHttpsServer,
  victim,
} from '../support/https-server.ts';
import { type RunningNginx, startNginx } from '../support/nginx.ts';
import { shippedConfiguration } from '../support/nginx-configuration.ts';
import { sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The real nginx, which presents different certificates of its own to the server. */
const ca = createTestCa({ subject: [['CN', 'Proxy CA']] });
const name = { dns: ['gw.internal'] };
const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };
const unverified = (word: string) => `does not verify against COUNTERSIGN_PROXY_CA_FILE: ${word}`;
const otherName = (names: string) => `is issued for ${names}, but COUNTERSIGN_PROXY_SANS lists none of them`;

const rejected: [variant: string, MintedCertificate, reason: string][] = [
  ['other-name', ca.issue({ dns: ['other.internal'] }), otherName('dns:other.internal')],
  ['name-in-cn', ca.issue({ subject: [['CN', 'gw.internal']] }), 'is issued for no DNS name or URI'],
  ['self-signed', selfSigned({ ...name, subject: [['CN', 'gw.internal']] }), unverified('DEPTH_ZERO_SELF_SIGNED_CERT')],
  ['expired', ca.issue({ ...name, ...past }), 'expired at 20'],
  ['for-servers', ca.issue({ ...name, eku: 'server' }), unverified('INVALID_PURPOSE')],
];
const right = ca.issue({ ...name, subject: [['CN', 'nginx 1']] });
const variants: (readonly [variant: string, MintedCertificate | undefined])[] = [
  ['right', right],
  ['none', undefined],
  ...rejected.map(([variant, certificate]) => [variant, certificate] as const),
];

describeWith(['nginx'], 'through nginx with a certificate of its own', () => {
  const folder = temporaryDirectory();
  let server: HttpsServer;
  let nginx: RunningNginx;
  let port: number;

  beforeAll(async () => {
    server = await startHttpsServer({
      COUNTERSIGN_PROXY_CA_FILE: ca.writeTo(folder, 'proxy-ca').cert,
      COUNTERSIGN_PROXY_SANS: 'gw.internal',
    });
    port = await freePort();
    nginx = await startNginx({ prefix: folder, http: variants.map(block).join('\n'), files: forwardFiles() });
  });
  afterAll(async () => {
    await nginx?.stop();
    await server?.stop();
  });

  /** One upstream per certificate: nginx reuses the connections of an upstream regardless of the certificate. */
  function block([variant, certificate]: (typeof variants)[number]): string {
    victim.writeTo(folder, 'victim');
    const own = certificate?.writeTo(folder, variant);
    const { upstream, directives } = variant === 'right' ? documented() : written(variant, own);
    return `
      ${upstream}
      server {
        listen 127.0.0.1:${port} ssl;
        server_name ${variant}.example;
        ssl_certificate victim.pem;
        ssl_certificate_key victim-key.pem;
        ssl_trusted_certificate victim.pem;
        ssl_verify_client optional_no_ca;
        ${directives}
        location / { include ${variant}.conf; }
      }`;
  }

  /** The configuration of docs/configuration.md. */
  function documented() {
    const text = documentedBlock('docs/configuration.md', 'nginx', 'proxy_ssl_certificate ', {
      'upstream countersign': 'upstream right',
      'countersign.internal:8443': new URL(server.url).host,
      'countersign.internal': serverName,
      '/etc/nginx/countersign/proxy': join(folder, 'right'),
      '/etc/nginx/countersign/countersign-ca.pem': join(folder, 'server-ca.pem'),
    });
    const [upstream = '', directives = ''] = text.split(/^# In the server .*$/m);
    return { upstream, directives };
  }

  function written(variant: string, own: { readonly cert: string; readonly key: string } | undefined) {
    const certificate = own ? `proxy_ssl_certificate ${own.cert}; proxy_ssl_certificate_key ${own.key};` : '';
    return {
      upstream: `upstream ${variant} { server ${new URL(server.url).host}; keepalive 8; }`,
      directives: `
        proxy_ssl_trusted_certificate ${join(folder, 'server-ca.pem')};
        proxy_ssl_verify on;
        proxy_ssl_name ${serverName};
        ${certificate}`,
    };
  }

  function forwardFiles(): Record<string, string> {
    const shipped = (variant: string) =>
      shippedConfiguration({
        replace: [
          ['http://countersign', `https://${variant}`],
          ['/etc/nginx/countersign/', ''],
        ],
      });
    const forward = variants.map(([variant]) => [
      `${variant}.conf`,
      shipped(variant)['forward-to-countersign.conf'] ?? '',
    ]);
    return { ...shipped('right'), 'server-ca.pem': serverCa, ...Object.fromEntries(forward) };
  }

  async function askThrough(variant: string, clientId: string) {
    const host = `${variant}.example`;
    const lines = [`Host: ${host}`, 'Content-Type: application/x-www-form-urlencoded', 'Connection: close'];
    const tls = { ...identityOf(victim), servername: host, rejectUnauthorized: false };
    const request = { lines, body: formOf(clientId) };
    return server.decide(() => sendRequest(`https://127.0.0.1:${port}`, request, { tls }));
  }

  test('a token is issued for the expected certificate', async () => {
    for (const clientId of [...clientIds, ...clientIds]) {
      const { response, event } = await askThrough('right', clientId);
      expect([response.status, event]).toMatchObject([200, { client_id: clientId, thumbprint: victim.thumbprint }]);
    }
  });

  test.each(rejected)('no token is issued for the certificate %s', async (variant, { thumbprint }, reason) => {
    for (const clientId of clientIds) {
      const { response, event } = await askThrough(variant, clientId);
      expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
      const expected = `no certificate: the proxy certificate (${thumbprint}) ${reason}`;
      expect(event).toMatchObject({ event: 'token_rejected', reason: expect.stringContaining(expected) });
    }
  });

  test('no token is issued without a certificate', async () => {
    const reason = 'no certificate: the proxy presented no certificate in the TLS handshake';
    for (const clientId of clientIds) {
      const { response, event } = await askThrough('none', clientId);
      expect([response.status, event]).toMatchObject([400, { event: 'token_rejected', reason }]);
    }
  });
});
