import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApache, startShippedApache } from './apache.ts';
import { createTestCa, type MintedCertificate, selfSigned } from './certificates.ts';
import { mtlsHost, plainHost } from './deployment.ts';
import { hugeCertificate } from './der-surgery.ts';
import { describeWith } from './describe-with.ts';
import { freePort } from './free-port.ts';
import { echoedValues } from './header-echo.ts';
import type { HttpResponse } from './http-response.ts';
import {
  clientCa,
  forgedLines,
  type ShippedWithEcho,
  startShippedWithEcho,
  temporaryFile,
} from './shipped-with-echo.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };
const names = ['x-ssl-client-cert', 'x-ssl-client-verify'];
const forwarded = (response: HttpResponse) => names.map((name) => echoedValues(response, name));
/** Node cuts off the space at the end. */
const spaced = ({ pem }: MintedCertificate) => pem.replaceAll('\n', ' ').trimEnd();
const errorOf = (response: HttpResponse) => [
  response.status,
  response.json().error,
  ...['content-type', 'cache-control', 'pragma', 'retry-after'].map((name) => response.headers.get(name)),
];
const rejected = (status: number, retryAfter: string | null = null) => {
  const error = status === 503 ? 'temporarily_unavailable' : 'invalid_request';
  return [status, error, 'application/json', 'no-store', 'no-cache', retryAfter];
};

describeWith(['apache2', 'openssl'], 'the shipped Apache configuration', () => {
  let shipped: ShippedWithEcho;
  beforeAll(async () => {
    shipped = await startShippedWithEcho(startShippedApache);
  });
  afterAll(async () => {
    expect(await shipped?.stop()).toBe(0);
  });

  /** Sends forged fields, as many at once as Apache accepts, and resolves to the headers that each request arrived with. */
  async function sendForged(identity?: MintedCertificate, host = mtlsHost): Promise<string[][][]> {
    const [connection = '', ...lines] = forgedLines();
    const outcomes: string[][][] = [];
    for (let start = 0; start < lines.length; start += 15) {
      const some = [connection, ...lines.slice(start, start + 15)];
      const response = await shipped.send({ lines: some }, { identity, host });
      const withoutId = response.body.replace(/"x-request-id","[\w@-]{24,32}"/i, '');
      expect(withoutId).not.toMatch(/forged|_|"connection","x-|x-request-id/i);
      outcomes.push(forwarded(response));
    }
    return outcomes;
  }

  it.each<[string, RegExp, () => MintedCertificate]>([
    ['of the CA', /^SUCCESS$/, () => clientCa.issue()],
    ['of the CA, RSA-4096', /^SUCCESS$/, () => clientCa.issue({ keyType: 'rsa-4096' })],
    ['that is self-signed', /^FAILED:self-signed certificate$/, () => selfSigned()],
    ['of another CA of that name', /^FAILED:/, () => createTestCa({ subject: clientCa.subject }).issue()],
  ])('forwards a certificate %s with the result %s, and no header of the client', async (_, result, mint) => {
    const identity = mint();
    for (const outcome of await sendForged(identity)) {
      expect(outcome).toEqual([[spaced(identity)], [expect.stringMatching(result)]]);
    }
  });

  it.each([mtlsHost, plainHost])('forwards the absence of a certificate at %s', async (host) => {
    for (const outcome of await sendForged(undefined, host)) expect(outcome).toEqual([['(null)'], ['NONE']]);
  });

  it.each<[string, () => MintedCertificate]>([
    ['expired', () => clientCa.issue(past)],
    ['for servers', () => clientCa.issue({ eku: 'server' })],
  ])('rejects a handshake with a certificate that is %s', async (_, mint) => {
    await expect(shipped.send(undefined, { identity: mint() })).rejects.toThrow(/alert/);
    expect(shipped.running.errors()).toContain('Certificate Verification: Error');
  });

  it('forwards a certificate of nearly 16 KiB beside 31 KiB of headers', async () => {
    const identity = hugeCertificate(clientCa, 15_800);
    const lines = Array.from({ length: 4 }, (_, index) => `X-Other-${index}: ${'x'.repeat(8_000)}`);
    expect(forwarded(await shipped.send({ lines }, { identity }))).toEqual([[spaced(identity)], ['SUCCESS']]);
  });

  it('rejects a request that is too large', async () => {
    const long = await shipped.send({ lines: [`X-Other: ${'x'.repeat(8_200)}`] });
    expect(errorOf(long)).toEqual(rejected(400));
    const many = await shipped.send({ lines: Array.from({ length: 100 }, (_, index) => `X-${index}: x`) });
    expect(errorOf(many)).toEqual(rejected(400));
    expect(errorOf(await shipped.send({ path: `/${'x'.repeat(8_200)}` }))).toEqual(rejected(414));
    expect(errorOf(await shipped.send({ body: 'x'.repeat(65_537) }))).toEqual(rejected(413));
  });

  it('rejects a request for another host than that of the handshake', async () => {
    const identity = clientCa.issue();
    const [sni, host] = [mtlsHost, plainHost];
    expect(errorOf(await shipped.send(undefined, { identity, sni, host }))).toEqual(rejected(421));
    expect(errorOf(await shipped.send(undefined, { identity, sni: host, host: sni }))).toEqual(rejected(421));
    expect(errorOf(await shipped.send(undefined, { identity, sni, host: 'other.example' }))).toEqual(rejected(421));
    for (const named of ['', 'other.example', `x.${mtlsHost}`]) {
      for (const asked of [mtlsHost, plainHost, 'other.example']) {
        const response = await shipped.send(undefined, { identity, sni: named, host: asked, anyServer: true });
        expect(errorOf(response)).toEqual(rejected(421));
      }
    }
  });

  it('resumes no session, and sends no CA name to clients', async () => {
    for (const identity of [clientCa.issue(), selfSigned()]) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const { reused, second } = await shipped.sendTwice(identity, version);
        expect([reused, second]).toEqual([false, expect.stringContaining(spaced(identity))]);
      }
    }
    for (const version of ['-tls1_2', '-tls1_3'] as const) {
      const output = await shipped.handshake(version);
      expect(output).toContain('No client certificate CA names sent');
      expect(output).toContain('Requested Signature Algorithms');
    }
  });

  it('reports a failed verification for a session that was resumed anyway', async () => {
    const cache = `SSLSessionCache shmcb:${join(temporaryDirectory(), 'cache')}(512000)\nSSLSessionCache none\n`;
    const start = '# The host for clients with a certificate';
    const withCache = await startShippedWithEcho(startShippedApache, [[start, `${cache}${start}`]]);
    for (const identity of [clientCa.issue(), selfSigned()]) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const { reused, second } = await withCache.sendTwice(identity, version);
        expect([reused, second]).toEqual([true, expect.stringContaining('"FAILED:the TLS session was resumed;')]);
      }
    }
    await withCache.stop();
  });

  it('responds with JSON if Countersign is unavailable', async () => {
    const alone = await startShippedWithEcho(startShippedApache, [], `http://127.0.0.1:${await freePort()}`);
    expect(errorOf(await alone.send())).toEqual(rejected(503, '2'));
    await alone.stop();
  });

  it('sends the proxy secret as described in its comments, and does not reveal it to clients', async () => {
    const line = temporaryFile('RequestHeader set X-Countersign-Proxy-Secret only-the-proxy-knows\n');
    const include = '#Include /etc/apache2/countersign/proxy-secret.conf';
    const withSecret = await startShippedWithEcho(startShippedApache, [[include, `Include ${line}`]]);
    const response = await withSecret.send({ lines: ['X-Countersign-Proxy-Secret: forged'] });
    expect(echoedValues(response, 'x-countersign-proxy-secret')).toEqual(['only-the-proxy-knows']);
    const trace = await withSecret.send({ method: 'TRACE', path: '/', lines: ['Max-Forwards: 0'] });
    expect([trace.status, trace.body.includes('only-the-proxy-knows')]).toEqual([405, false]);
    await withSecret.stop();
  });

  it('rejects other certificates in the handshake as described in its comments', async () => {
    const strict = await startShippedWithEcho(startShippedApache, [
      ['SSLOpenSSLConfCmd VerifyCAFile', 'SSLCACertificateFile'],
      ['SSLVerifyClient optional_no_ca', 'SSLVerifyClient optional'],
    ]);
    await expect(strict.send(undefined, { identity: selfSigned() })).rejects.toThrow(/alert/);
    expect((await strict.send(undefined, { identity: clientCa.issue() })).status).toBe(200);
    await strict.stop();
  });

  it('fails to start with the error if it is invalid', async () => {
    await expect(startApache({ configuration: 'Nonsense on', ports: [] })).rejects.toThrow(
      /Invalid command 'Nonsense'/,
    );
    await expect(startShippedWithEcho(startShippedApache, [['no such text', '']])).rejects.toThrow('"no such text"');
  });
});
