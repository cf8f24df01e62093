import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MintedCertificate } from '../support/certificates.ts';
import { type Deployment, formOf, mtlsHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { openTls } from '../support/open-connection.ts';
import { type ShippedTerminator, type TerminatorName, terminators } from '../support/terminators.ts';

const form = formOf('client');
const host = `Host: ${mtlsHost}`;
const type = 'Content-Type: application/x-www-form-urlencoded';
const sized = [type, `Content-Length: ${form.length}`];
const request = (line: string, lines: readonly string[], body = form) =>
  Buffer.from([line, ...lines, '', body].join('\r\n'), 'latin1');
const post = (lines: readonly string[], body = form) => request('POST /token HTTP/1.1', [host, ...lines], body);
const fields = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => `X-Trace-${index}: ${'x'.repeat(length)}`);

/** What HTTP libraries and proxies in front of the terminator send, and RFC 9110 or RFC 9112 allows. */
const requests: readonly (readonly [title: string, bytes: Uint8Array])[] = [
  [
    'in chunks',
    post(
      [type, 'Transfer-Encoding: chunked'],
      `5\r\n${form.slice(0, 5)}\r\n${(form.length - 5).toString(16)};x=y\r\n${form.slice(5)}\r\n0\r\n\r\n`,
    ),
  ],
  ['with the absolute form of the URL', request(`POST https://${mtlsHost}/token HTTP/1.1`, [host, ...sized])],
  [
    'with the absolute form in upper case',
    request(`POST HTTPS://${mtlsHost.toUpperCase()}/token HTTP/1.1`, [host, ...sized]),
  ],
  ['over HTTP/1.0', request('POST /token HTTP/1.0', [host, ...sized])],
  ['with field names in lower case', post(sized.map((line) => line.toLowerCase()))],
  ['with optional white space', post([`Content-Type:\t${type.slice(14)}\t `, `Content-Length:${form.length}`])],
  ['with an empty field', post([...sized, 'X-Empty:'])],
  ['with a field name with an underscore', post([...sized, 'X_Request_ID: 1'])],
  ['with a field value in UTF-8', post([...sized, `User-Agent: ${Buffer.from('Müller').toString('latin1')}`])],
  ['with 60 fields', post([...sized, ...fields(60, 100)])],
  ['with a field of 7 KiB', post([...sized, ...fields(1, 7_000)])],
  ['with 24 KiB of fields', post([...sized, ...fields(4, 6_000)])],
  ['with a body of 60,000 bytes', post([type, 'Content-Length: 60000'], `${form}&x=`.padEnd(60_000, 'x'))],
  ['with Connection: keep-alive', post([...sized, 'Connection: Keep-Alive', 'Keep-Alive: timeout=5'])],
  ['with TE and Connection', post([...sized, 'Connection: close, TE', 'TE: trailers, deflate;q=0.5'])],
  [
    'with an offer of h2c',
    post([...sized, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA']),
  ],
];

for (const name of Object.keys(terminators) as TerminatorName[]) {
  const { program }: ShippedTerminator = terminators[name];

  describeWith([program, 'redis-server'], `through the shipped configuration of ${name}`, () => {
    let deployment: Deployment;
    let identity: MintedCertificate;
    beforeAll(async () => {
      deployment = await startDeployment({ terminator: name });
      identity = deployment.ca.issue({ subject: [['CN', 'client']] });
      await deployment.register({
        client_id: 'client',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=client',
      });
    });
    afterAll(() => deployment?.stop());

    test.each(requests)('a client gets a token for a request %s', async (_, bytes) => {
      const { response, event } = await deployment.decide(() => deployment.sendBytes(bytes, { identity }));
      expect([response.status, event.event]).toEqual([200, 'token_issued']);
    });

    test('a client that expects 100 (Continue) gets it, and then a token', async () => {
      const own = { cert: identity.pem, key: identity.privateKeyPem, ca: deployment.serverCa };
      const { socket, received } = await openTls(`https://127.0.0.1:${deployment.port}`, {
        ...own,
        servername: mtlsHost,
      });
      socket.write(post([...sized, 'Expect: 100-continue'], ''));
      await eventually(() => received().startsWith('HTTP/1.1 100'), received);
      socket.write(form);
      await eventually(() => received().includes('access_token'), received);
      socket.destroy();
    });

    test('a client gets the headers of metadata with HEAD', async () => {
      const own = { cert: identity.pem, key: identity.privateKeyPem, ca: deployment.serverCa };
      const { socket, received, closed } = await openTls(`https://127.0.0.1:${deployment.port}`, {
        ...own,
        servername: mtlsHost,
      });
      socket.write(request('HEAD /jwks HTTP/1.1', [host, 'Connection: close'], ''));
      await eventually(closed, received);
      expect(received()).toMatch(/^HTTP\/1\.1 200 /);
      expect(received().split('\r\n\r\n').slice(1)).toEqual(['']);
    });
  });
}
