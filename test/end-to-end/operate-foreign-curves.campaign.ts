import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type CertificateOptions, createTestCa, selfSigned } from '../support/certificates.ts';
import { runCountersign, startCountersign } from '../support/countersign.ts';
import { createCrl } from '../support/crls.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// With a CA on such a curve in the chain of a server, Node's TLS client ends its process with a segmentation fault.
const brainpool: CertificateOptions = { keyType: 'ec-brainpool-p256r1', subject: [['CN', 'Brainpool CA']] };

describeWith(['redis-server'], 'a CA on a brainpool curve', () => {
  const folder = temporaryDirectory();
  const clientCa = createTestCa({ subject: [['CN', 'Client CA']] });
  const crl = createCrl(clientCa);
  const client = selfSigned().writeTo(folder, 'client');

  /** Serves the CRL, receives traces, and is no authorization server. */
  const startHttps = async (pem: string, key: string) => {
    const paths = new Set<string>();
    const server = createServer({ cert: pem, key }, ({ url = '' }, response) => {
      paths.add(url);
      response.end(url === '/ca.crl' ? crl : '{}');
    });
    onTestFinished(() => void server.close().closeAllConnections());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // Safe: it listens on TCP.
    return { url: `https://localhost:${(server.address() as AddressInfo).port}`, paths };
  };

  test('above Redis, a CRL server and a collector ends neither a server nor a command', async () => {
    const root = createTestCa({ ...brainpool, subject: [['CN', 'Brainpool root']] });
    const ca = root.issueIntermediate(brainpool);
    const own = ca.issue({ eku: 'server', dns: ['localhost'], ips: ['127.0.0.1'] });
    const chain = own.pem + ca.pem;
    const files = { cert: join(folder, 'server.pem'), key: own.writeTo(folder, 'own').key };
    writeFileSync(files.cert, chain);
    const { cert: rootFile } = root.writeTo(folder, 'root');
    const { cert: clientCaFile } = clientCa.writeTo(folder, 'client-ca');
    const redis = await startRedis({ program: programPath('redis-server'), directory: folder, tls: files });
    onTestFinished(async () => void (await redis.stop()));
    const https = await startHttps(chain, own.privateKeyPem);
    const env = {
      COUNTERSIGN_ISSUER: 'https://auth.example',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_SIGNING_KEY: selfSigned().privateKeyPem,
      COUNTERSIGN_REDIS_URL: redis.url,
      COUNTERSIGN_CLIENT_CA_FILE: clientCaFile,
      COUNTERSIGN_CRL_MODE: 'require',
      COUNTERSIGN_CLIENT_CRLS: `${https.url}/ca.crl`,
      NODE_EXTRA_CA_CERTS: rootFile,
      OTEL_EXPORTER_OTLP_ENDPOINT: https.url,
    };
    const server = await startCountersign({ env });
    await server.waitForEvent(({ event }) => event === 'crl_loaded', 30_000);
    await sendRequest(server.url, { body: { grant_type: 'client_credentials' } });
    await eventually(
      () => https.paths.has('/v1/traces'),
      () => `only ${[...https.paths]}`,
      30_000,
    );
    expect(await (await server.fetchOperations('/readyz')).status).toBe(200);
    expect(await server.stop()).toBe(0);

    const listed = await runCountersign(['clients', 'list'], {
      env: { COUNTERSIGN_REDIS_URL: redis.url, COUNTERSIGN_REDIS_CA_FILE: rootFile },
    });
    expect([listed.code, listed.stdout]).toEqual([0, expect.stringMatching(/^CLIENT_ID/)]);
    const options = ['--url', https.url, '--cert', client.cert, '--key', client.key, '--cacert', rootFile];
    const token = await runCountersign(['token', ...options]);
    expect([token.code, token.stderr]).toEqual([1, expect.stringContaining('the metadata has no issuer')]);
    const doctor = await runCountersign(['doctor', ...options, '--operations', '127.0.0.1:1']);
    expect([doctor.code, doctor.stderr]).toEqual([1, expect.stringContaining('operations listener')]);
  });

  test('as the key of a client does not end countersign token', async () => {
    const { cert, key } = selfSigned(brainpool).writeTo(folder, 'brainpool-client');
    const finished = await runCountersign(['token', '--url', 'https://localhost:1', '--cert', cert, '--key', key]);
    expect([finished.code, finished.stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  });
});
