import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startShippedApache } from '../../support/apache.ts';
import { selfSigned } from '../../support/certificates.ts';
import { type Deployment, formOf, mtlsHost, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { freePort } from '../../support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../../support/header-echo.ts';
import { requestBytes, sendRaw } from '../../support/raw-http.ts';
import type { RunningTerminator } from '../../support/shipped-terminator.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const impostor = selfSigned({ subject: [['CN', 'victim']] });
const request = requestBytes({
  lines: [`Host: ${mtlsHost}`, 'Connection: close', 'Content-Type: application/x-www-form-urlencoded'],
  body: formOf('victim'),
});
const firstHost = '<VirtualHost *:443>\n    ServerName countersign.invalid';
/** A session cache, as in Debian's ssl.conf. */
const withCache = () => {
  const directive = `SSLSessionCache shmcb:${join(temporaryDirectory(), 'sessions')}(512000)`;
  return [[firstHost, `${directive}\n${firstHost}`]] as const;
};
/** Also without the protection of the shipped configuration. */
const naive = () => [
  ...withCache(),
  [
    'RequestHeader set X-SSL-Client-Verify "FAILED:the TLS session was resumed',
    '# RequestHeader set X-SSL-Client-Verify "',
  ] as const,
];

describeWith(['apache2', 'redis-server'], 'finding 3: Apache reports resumed sessions as verified', () => {
  let deployment: Deployment;
  let naiveDeployment: Deployment;
  let echo: HeaderEcho;
  let apacheBeforeEcho: RunningTerminator;
  let echoPort: number;
  beforeAll(async () => {
    deployment = await startDeployment({ terminator: 'apache', replace: withCache() });
    [echo, echoPort] = [await startHeaderEcho(), await freePort()];
    const { directory } = deployment;
    apacheBeforeEcho = await startShippedApache({ directory, port: echoPort, socket: echo.url, replace: naive() });
    const byName = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=victim' };
    naiveDeployment = await startDeployment({ terminator: 'apache', replace: naive() });
    for (const { register } of [deployment, naiveDeployment]) await register({ client_id: 'victim', ...byName });
  });
  afterAll(async () => {
    await deployment?.stop();
    await naiveDeployment?.stop();
    await apacheBeforeEcho?.stop();
    await echo?.stop();
  });

  const tls = (session?: Buffer) => ({
    ca: [deployment.serverCa, naiveDeployment.serverCa],
    cert: impostor.pem,
    key: impostor.privateKeyPem,
    servername: mtlsHost,
    maxVersion: 'TLSv1.2' as const,
    ...(session && { session }),
  });

  /** Apache stores a session after announcing it; once it responds, the session is stored. */
  function openSession(port: number): Promise<Buffer | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
    const socket = connect({ host: '127.0.0.1', port, ...tls() });
    socket.write(`GET /jwks HTTP/1.1\r\nHost: ${mtlsHost}\r\n\r\n`);
    socket.once('data', () => resolve(socket.getSession())).once('error', reject);
    return promise.finally(() => socket.destroy());
  }

  const send = async (port: number, session?: Buffer) =>
    sendRaw(`https://127.0.0.1:${port}`, request, { tls: tls(session) });

  test('so a self-signed certificate is GENEROUS at first, and SUCCESS on a resumed session', async () => {
    expect(echoedValues(await send(echoPort), 'X-SSL-Client-Verify')).toEqual(['GENEROUS']);
    const session = await openSession(echoPort);
    expect(echoedValues(await send(echoPort, session), 'X-SSL-Client-Verify')).toEqual(['SUCCESS']);
  });

  test('and it gets no token, since the server verifies the chain itself', async () => {
    const { port, decide } = naiveDeployment;
    const session = await openSession(port);
    const { response, event } = await decide(() => send(port, session));
    expect([response.status, event.reason]).toEqual([
      400,
      expect.stringMatching(/^the certificate's chain is not verified: the certificate has no known issuer/),
    ]);
  });

  test('unless the shipped configuration is used, which reports FAILED', async () => {
    const session = await openSession(deployment.port);
    const { response, event } = await deployment.decide(() => send(deployment.port, session));
    expect([response.status, event.reason]).toEqual([400, expect.stringContaining('the TLS session was resumed')]);
  });
});
