import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuthorizationServer, startAuthorizationServer } from '../../support/authorization-server.ts';
import { createTestCa } from '../../support/certificates.ts';
import { type Deployment, formOf, mtlsHost, plainHost, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { freePort } from '../../support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../../support/header-echo.ts';
import type { HttpResponse } from '../../support/http-response.ts';
import { type RunningNginx, startNginx } from '../../support/nginx.ts';
import { type RawOptions, requestBytes, sendRaw, sendRequest } from '../../support/raw-http.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { tokenIdsIn } from '../../support/token-ids.ts';

const otherHost = 'other.example';
const right = createTestCa({ subject: [['CN', 'Client CA']] });
const wrong = createTestCa({ subject: [['CN', 'CA of the other trust domain']] });
const serverCa = createTestCa({ subject: [['CN', 'Server CA']] });
const impostor = wrong.issue({ subject: [['CN', 'victim']] });
const own = { cert: impostor.pem, key: impostor.privateKeyPem };

const victim = {
  client_id: 'victim',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=victim',
};
const ways = [
  ['without SNI', ''],
  ['with an unknown SNI', 'unknown.example'],
] as const;

/** SNI values with which a client can try to be verified by the other CA. */
const serverNames = ['', 'unknown.example', otherHost];

describeWith(['nginx', 'redis-server'], 'finding 1: nginx with two trust domains on one socket', () => {
  let nginx: RunningNginx;
  let echo: HeaderEcho;
  let server: AuthorizationServer;
  let port: number;
  beforeAll(async () => {
    [echo, port] = [await startHeaderEcho(), await freePort()];
    const prefix = temporaryDirectory();
    const anchor = right.writeTo(prefix, 'right').cert;
    server = await startAuthorizationServer({ env: { COUNTERSIGN_CLIENT_CA_FILE: anchor } });
    await server.register(victim);
    serverCa.issue({ eku: 'server', dns: [mtlsHost, otherHost] }).writeTo(prefix, 'server');
    wrong.writeTo(prefix, 'wrong');
    const virtualServer = (name: string, ca: string) => `
      server {
        listen 127.0.0.1:${port} ssl;
        server_name ${name};
        ssl_certificate server.pem; ssl_certificate_key server-key.pem;
        ssl_client_certificate ${ca}.pem; ssl_verify_client on;
        proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
        proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
        location / { proxy_pass ${echo.url}; }
        location /token { proxy_pass http://${server.url}; }
      }`;
    nginx = await startNginx({ http: virtualServer(otherHost, 'wrong') + virtualServer(mtlsHost, 'right'), prefix });
  });
  afterAll(async () => {
    await nginx?.stop();
    await server?.stop();
    await echo?.stop();
  });

  test.each(ways)('reports SUCCESS for a certificate of the wrong CA %s', async (_, servername) => {
    const tls = { ...own, servername, rejectUnauthorized: false };
    const request = { path: '/', lines: [`Host: ${mtlsHost}`] };
    const response = await sendRequest(`https://127.0.0.1:${port}`, request, { tls });
    expect([response.status, echoedValues(response, 'X-SSL-Client-Verify')]).toEqual([200, ['SUCCESS']]);
  });

  async function requestToken(tls: RawOptions['tls']) {
    const body = { grant_type: 'client_credentials', client_id: 'victim' };
    const request = { lines: [`Host: ${mtlsHost}`], body };
    return server.decide(() =>
      sendRequest(`https://127.0.0.1:${port}`, request, { tls: { ...tls, rejectUnauthorized: false } }),
    );
  }

  test.each(ways)('gets no token for it %s, since the server verifies the chain itself', async (_, servername) => {
    const { response, event } = await requestToken({ ...own, servername });
    expect([response.status, tokenIdsIn(response)]).toEqual([400, []]);
    expect(event.reason).toMatch(/^the certificate's chain is not verified: the certificate has no known issuer/);
  });

  test('gets a token for a certificate of the right CA', async () => {
    const { pem, privateKeyPem } = right.issue({ subject: [['CN', 'victim']] });
    const { response } = await requestToken({ cert: pem, key: privateKeyPem, servername: mtlsHost });
    expect(response.status).toBe(200);
  });
});

describeWith(['nginx', 'redis-server'], 'finding 1: the shipped nginx beside a second trust domain', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    const directory = temporaryDirectory();
    const server = serverCa.issue({ eku: 'server', dns: [otherHost] }).writeTo(directory, 'other');
    const ca = wrong.writeTo(directory, 'wrong');
    const secondDomain = `
      server {
        listen 443 ssl;
        server_name ${otherHost};
        ssl_certificate ${server.cert}; ssl_certificate_key ${server.key};
        ssl_client_certificate ${ca.cert}; ssl_verify_client on;
        return 204;
      }`;
    const marker = '# The host for clients with a certificate';
    deployment = await startDeployment({ replace: [[marker, `${secondDomain}\n${marker}`]] });
    await deployment.register(victim);
  });
  afterAll(() => deployment?.stop());

  async function ask(servername: string, host: string): Promise<HttpResponse | string> {
    const lines = [`Host: ${host}`, 'Content-Type: application/x-www-form-urlencoded'];
    const bytes = requestBytes({ lines, body: formOf('victim') });
    const tls = { ...own, servername, rejectUnauthorized: false };
    return sendRaw(`https://127.0.0.1:${deployment.port}`, bytes, { tls }).catch((error: Error) => error.message);
  }

  test('serves the other domain to clients of its CA', async () => {
    expect(await ask(otherHost, otherHost)).toMatchObject({ status: 204 });
  });

  test.each(
    [...serverNames, mtlsHost, plainHost].flatMap((sni) => [mtlsHost, plainHost].map((host) => [sni, host] as const)),
  )('issues no token for a certificate of that CA with SNI %j and Host %s', async (sni, host) => {
    const { response, events } = await deployment.watch(() => ask(sni, host));
    if (typeof response !== 'string') {
      expect([400, 421]).toContain(response.status);
      expect(tokenIdsIn(response)).toEqual([]);
    }
    expect(events.filter(({ event }) => event === 'token_issued')).toEqual([]);
  });

  test('issues a token for a certificate of the right CA', async () => {
    const identity = deployment.ca.issue({ subject: [['CN', 'victim']] });
    expect((await deployment.requestToken('victim', { identity })).response.status).toBe(200);
  });
});
