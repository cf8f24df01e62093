import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa } from '../../support/certificates.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { hugeCertificate } from '../../support/der-surgery.ts';
import { describeWith } from '../../support/describe-with.ts';
import { freePort } from '../../support/free-port.ts';
import { startHaproxy } from '../../support/haproxy.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../../support/header-echo.ts';
import { sendRequest } from '../../support/raw-http.ts';
import type { RunningTerminator } from '../../support/shipped-terminator.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ca = createTestCa();
const subject = [['CN', 'client']] as const;
const small = ca.issue({ subject });
const large = hugeCertificate(ca, 14_500, { subject });
const [certificate, verification] = ['X-SSL-Client-Cert', 'X-SSL-Client-Verify'];

describeWith(['haproxy'], 'finding 4: HAProxy with default buffers that always sends a verification result', () => {
  let haproxy: RunningTerminator;
  let echo: HeaderEcho;
  let port: number;
  beforeAll(async () => {
    [echo, port] = [await startHeaderEcho(), await freePort()];
    const directory = temporaryDirectory();
    ca.writeTo(directory, 'ca');
    const server = ca.issue({ eku: 'server', dns: ['localhost'] });
    writeFileSync(join(directory, 'both.pem'), server.pem + server.privateKeyPem, { mode: 0o600 });
    const configuration = `
      defaults
        mode http
        timeout connect 5s
        timeout client 5s
        timeout server 5s
      frontend f
        bind 127.0.0.1:${port} ssl crt ${directory}/both.pem ca-file ${directory}/ca.pem verify optional
        http-request set-header ${certificate} %[ssl_c_der,base64]
        http-request set-header ${verification} %[ssl_c_verify]
        default_backend b
      backend b
        server s 127.0.0.1:${echo.port}\n`;
    haproxy = await startHaproxy({ configuration, ports: [port], directory });
  });
  afterAll(async () => {
    await haproxy?.stop();
    await echo?.stop();
  });

  test.each([
    ['forwards a small certificate', small, [Buffer.from(small.der).toString('base64')]],
    ['forwards a large certificate as an empty header, with a positive verification', large, ['']],
    ['forwards an absent certificate as an empty header, with a positive verification', undefined, ['']],
  ])('%s', async (_, identity, expected) => {
    const own = identity && { cert: identity.pem, key: identity.privateKeyPem };
    const response = await sendRequest(`https://127.0.0.1:${port}`, {}, { tls: { ca: ca.pem, ...own } });
    expect(echoedValues(response, certificate)).toEqual(expected);
    expect(echoedValues(response, verification)).toEqual(['0']);
  });
});

describeWith(['haproxy', 'redis-server'], 'finding 4: the server behind HAProxy', () => {
  let misconfigured: Deployment;
  let shipped: Deployment;
  beforeAll(async () => {
    const smallBuffers = [
      ['tune.bufsize 98304', 'tune.bufsize 16384'],
      ['tune.maxrewrite 32768', 'tune.maxrewrite 1024'],
      ['if { ssl_c_used } !{ ssl_c_der,base64,length le 21848 }', 'if { always_false }'],
      ['%[ssl_c_verify] if { ssl_c_used }', '%[ssl_c_verify]'],
    ] as const;
    misconfigured = await startDeployment({ terminator: 'haproxy', replace: smallBuffers });
    shipped = await startDeployment({ terminator: 'haproxy' });
    const byName = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=client' };
    for (const { register } of [misconfigured, shipped]) await register({ client_id: 'client', ...byName });
  });
  afterAll(async () => {
    await misconfigured?.stop();
    await shipped?.stop();
  });

  test('reports that the proxy lost a certificate', async () => {
    const identity = hugeCertificate(misconfigured.ca, 14_500, { subject });
    const { response, event } = await misconfigured.requestToken('client', { identity });
    expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
    expect(event.reason).toContain('x-ssl-client-cert contains no certificate: a proxy buffer may be too small');
  });

  test('rejects a positive verification without a certificate', async () => {
    const { response, event } = await misconfigured.requestToken('client', {});
    expect([response.status, event.reason]).toEqual([400, expect.stringContaining('only if ssl_c_used')]);
  });

  test('receives a large certificate with the shipped configuration', async () => {
    const identity = hugeCertificate(shipped.ca, 14_500, { subject });
    expect((await shipped.requestToken('client', { identity })).event).toMatchObject({
      thumbprint: identity.thumbprint,
    });
    const without = await shipped.requestToken('client', {});
    expect(without.event.reason).toContain('the terminator forwarded no certificate');
  });
});
