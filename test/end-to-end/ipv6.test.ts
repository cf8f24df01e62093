import { expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { mtlsHost } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import { startShippedNginx } from '../support/nginx.ts';
import { sendRequest } from '../support/raw-http.ts';
import { startShippedWithEcho } from '../support/shipped-with-echo.ts';

describeWith(['nginx'], 'the shipped configuration of nginx', () => {
  test('serves IPv6 as described in its comments', async () => {
    const port = await freePort();
    const shipped = await startShippedWithEcho(startShippedNginx, [
      ['listen 443 ssl default_server;', `listen 443 ssl default_server; listen [::1]:${port} ssl default_server;`],
      ['listen 443 ssl;', `listen 443 ssl; listen [::1]:${port} ssl;`],
    ]);
    const { pem: cert, privateKeyPem: key } = createTestCa().issue();
    const request = { method: 'GET', lines: [`Host: ${mtlsHost}`] };
    const send = (servername: string) =>
      sendRequest(`https://[::1]:${port}`, request, { tls: { cert, key, servername, rejectUnauthorized: false } });
    const { status } = await send(mtlsHost);
    await expect(send('other.example')).rejects.toThrow(/unrecognized name/);
    await shipped.stop();
    expect(status).toBe(200);
  });
});
