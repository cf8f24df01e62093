import { expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { mtlsHost } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { startShippedNginx } from '../support/nginx.ts';
import { sendRequest } from '../support/raw-http.ts';
import { startShippedWithEcho } from '../support/shipped-with-echo.ts';

describeWith(['nginx'], 'the shipped configuration of nginx', () => {
  test('serves IPv6', async () => {
    const shipped = await startShippedWithEcho(startShippedNginx);
    const { pem: cert, privateKeyPem: key } = createTestCa().issue();
    const request = { method: 'GET', lines: [`Host: ${mtlsHost}`] };
    const send = (servername: string) => {
      const tls = { cert, key, servername, rejectUnauthorized: false };
      return sendRequest(`https://[::1]:${shipped.port}`, request, { tls });
    };
    const { status } = await send(mtlsHost);
    await expect(send('other.example')).rejects.toThrow(/unrecognized name/);
    await shipped.stop();
    expect(status).toBe(200);
  });
});
