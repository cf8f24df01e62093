import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../../support/certificates.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { exact } from '../../support/forged-headers.ts';
import { freePort } from '../../support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../../support/header-echo.ts';
import { type RunningNginx, startNginx } from '../../support/nginx.ts';
import { sendRequest } from '../../support/raw-http.ts';

const victim = selfSigned({ subject: [['CN', 'victim']] });
const secret = 'only-the-proxy-knows-this-0123456789abcdef';

describeWith(['nginx'], 'finding 7: proxy_set_header is not inherited by a location that has one of its own', () => {
  let nginx: RunningNginx;
  let echo: HeaderEcho;
  let port: number;
  beforeAll(async () => {
    [echo, port] = [await startHeaderEcho(), await freePort()];
    nginx = await startNginx({
      http: `server {
        listen 127.0.0.1:${port};
        proxy_set_header X-SSL-Client-Cert "";
        proxy_set_header X-SSL-Client-Verify NONE;
        location /inherits { proxy_pass ${echo.url}; }
        location /sets { proxy_set_header X-Tenant tenant; proxy_pass ${echo.url}; }
      }`,
    });
  });
  afterAll(async () => {
    await nginx?.stop();
    await echo?.stop();
  });

  test.each([
    ['/inherits', [], ['NONE']],
    ['/sets', [encodeURIComponent(victim.pem)], ['SUCCESS']],
  ])('%s forwards the headers %j and %j', async (path, certificates, verifications) => {
    const response = await sendRequest(`http://127.0.0.1:${port}`, { path, lines: exact(victim) });
    expect(echoedValues(response, 'X-SSL-Client-Cert')).toEqual(certificates);
    expect(echoedValues(response, 'X-SSL-Client-Verify')).toEqual(verifications);
  });
});

/** A location with one more header, whose author assumes that the others are inherited. */
const atThePath = `
    location /tenant/ {
        proxy_set_header X-Tenant tenant;
        proxy_set_header Host $host;
        proxy_pass http://countersign;
    }
    location / {
        include`;

describeWith(['nginx', 'redis-server'], 'finding 7: with a proxy secret', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment({
      path: '/tenant',
      replace: [
        ['\n    location / {\n        include', atThePath],
        ['X-Countersign-Proxy-Secret ""', `X-Countersign-Proxy-Secret "${secret}"`],
      ],
      env: { COUNTERSIGN_PROXY_SECRET: secret },
    });
    await deployment.register({
      client_id: 'victim',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint: victim.thumbprint }],
    });
  });
  afterAll(() => deployment?.stop());

  test.each([
    ['/token', 'the terminator forwarded no certificate'],
    ['/tenant/token', 'the proxy sent no x-countersign-proxy-secret'],
  ])('a forged certificate is rejected at %s: %s', async (path, reason) => {
    const body = { grant_type: 'client_credentials', client_id: 'victim' };
    const { response, event } = await deployment.decide(() => deployment.send({ path, lines: exact(victim), body }));
    expect([response.status, event.reason]).toEqual([400, expect.stringContaining(reason)]);
  });
});
