import { afterAll, beforeAll, expect, it } from 'vitest';
import { haproxy } from '../../src/terminator/formats/haproxy.ts';
import { createTestCa, type MintedCertificate, selfSigned } from './certificates.ts';
import { mtlsHost, plainHost } from './deployment.ts';
import { hugeCertificate } from './der-surgery.ts';
import { describeWith } from './describe-with.ts';
import { freePort } from './free-port.ts';
import { startHaproxy, startShippedHaproxy } from './haproxy.ts';
import { echoedValues } from './header-echo.ts';
import type { HttpResponse } from './http-response.ts';
import {
  clientCa,
  forgedLines,
  type ShippedWithEcho,
  startShippedWithEcho,
  temporaryFile,
} from './shipped-with-echo.ts';

const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };
const names = ['x-ssl-client-cert', 'x-ssl-client-verify', 'x-ssl-client-chain'];
const forwarded = (response: HttpResponse) => names.map((name) => echoedValues(response, name));
const base64 = ({ der }: MintedCertificate) => Buffer.from(der).toString('base64');
const errorOf = (response: HttpResponse) => [
  response.status,
  response.json().error,
  response.headers.get('cache-control'),
  response.headers.get('pragma'),
];

describeWith(['haproxy', 'openssl'], 'the shipped HAProxy configuration', () => {
  let shipped: ShippedWithEcho;
  beforeAll(async () => {
    shipped = await startShippedWithEcho(startShippedHaproxy);
  });
  afterAll(async () => {
    expect(await shipped?.stop()).toBe(143);
  });

  it.each<[string, string, () => MintedCertificate]>([
    ['of the CA', '0', () => clientCa.issue()],
    ['of the CA, RSA-4096', '0', () => clientCa.issue({ keyType: 'rsa-4096' })],
    ['that is self-signed', '18', () => selfSigned()],
    ['of another CA of that name', '21', () => createTestCa({ subject: clientCa.subject }).issue()],
    ['that is expired', '10', () => clientCa.issue(past)],
    ['for servers', '26', () => clientCa.issue({ eku: 'server' })],
  ])('forwards a certificate %s with the result %s, and no header of the client', async (_, result, mint) => {
    const identity = mint();
    const response = await shipped.send({ lines: forgedLines() }, { identity });
    expect(forwarded(response)).toEqual([[base64(identity)], [result], []]);
    expectNothingForged(response);
  });

  it.each([mtlsHost, plainHost])('forwards nothing without a client certificate at %s', async (host) => {
    const response = await shipped.send({ lines: forgedLines() }, { host });
    expect(forwarded(response)).toEqual([[], [], []]);
    expectNothingForged(response);
  });

  function expectNothingForged(response: HttpResponse) {
    expect(response.body).not.toMatch(/forged|_|"connection","x-/i);
  }

  it('forwards a short chain', async () => {
    const intermediate = clientCa.issueIntermediate();
    const leaf = intermediate.issue();
    const withChain = { ...leaf, pem: `${leaf.pem}${intermediate.pem}` };
    const [cert, result, chain = []] = forwarded(await shipped.send(undefined, { identity: withChain }));
    expect([cert, result]).toEqual([[base64(leaf)], ['0']]);
    expect(
      chain.map((value) => haproxy.chain?.decode(value).map((der) => Buffer.from(der).equals(intermediate.der))),
    ).toEqual([[true]]);
  });

  it('forwards a chain if there is room for it beside the certificate', async () => {
    const chainOf = async (leaf: MintedCertificate, bytes: number) => {
      const other = hugeCertificate(clientCa, bytes);
      const identity = { ...leaf, pem: `${leaf.pem}${other.pem}` };
      const [cert, , chain] = forwarded(await shipped.send(undefined, { identity }));
      expect(cert).toEqual([base64(leaf)]);
      return [chain, [base64(other)]];
    };
    const [forwardedChain, presented] = await chainOf(clientCa.issue(), 15_000);
    expect(forwardedChain).toEqual(presented);
    expect((await chainOf(clientCa.issue(), 17_000))[0]).toEqual([]);
    expect((await chainOf(hugeCertificate(clientCa, 15_000), 7_000))[0]).toEqual([]);
  });

  it('forwards a certificate of nearly 16 KiB beside 31 KiB of headers', async () => {
    const identity = hugeCertificate(clientCa, 15_800);
    const lines = [`X-Other: ${'x'.repeat(31 * 1024)}`];
    expect(forwarded(await shipped.send({ lines }, { identity }))).toEqual([[base64(identity)], ['0'], []]);
  });

  it.each([17_000, 60_000, 90_000])('rejects a certificate of %i bytes and never loses it', async (bytes) => {
    const response = await shipped.send(undefined, { identity: hugeCertificate(clientCa, bytes) });
    expect(errorOf(response)).toEqual([431, 'invalid_request', 'no-store', 'no-cache']);
  });

  it('rejects a request that is too large', async () => {
    const headers = await shipped.send({ lines: [`X-Other: ${'x'.repeat(40 * 1024)}`] });
    expect(errorOf(headers)).toEqual([431, 'invalid_request', 'no-store', 'no-cache']);
    const body = await shipped.send({ body: 'x'.repeat(65_537) });
    expect(errorOf(body)).toEqual([413, 'invalid_request', 'no-store', 'no-cache']);
  });

  it('rejects a request for another host than that of the handshake, and other handshakes', async () => {
    const identity = clientCa.issue();
    for (const [sni, host] of [
      [mtlsHost, plainHost],
      [plainHost, mtlsHost],
    ] as const) {
      expect(errorOf(await shipped.send(undefined, { identity, sni, host }))).toEqual([
        421,
        'invalid_request',
        'no-store',
        'no-cache',
      ]);
    }
    for (const sni of ['', 'other.example', `x.${mtlsHost}`]) {
      await expect(shipped.send(undefined, { identity, sni })).rejects.toThrow(/unrecognized name/);
    }
  });

  it('resumes no session, and sends no CA name to clients', async () => {
    for (const identity of [clientCa.issue(), selfSigned()]) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const { reused, second } = await shipped.sendTwice(identity, version);
        expect([reused, second]).toEqual([false, expect.stringContaining(base64(identity))]);
      }
    }
    for (const version of ['-tls1_2', '-tls1_3'] as const) {
      const output = await shipped.handshake(version);
      expect(output).toContain('No client certificate CA names sent');
      expect(output).toContain('Requested Signature Algorithms');
    }
  });

  it('responds immediately if Countersign is unavailable', async () => {
    const alone = await startShippedWithEcho(startShippedHaproxy, [], `http://127.0.0.1:${await freePort()}`);
    const response = await alone.send();
    expect(errorOf(response)).toEqual([503, 'temporarily_unavailable', 'no-store', 'no-cache']);
    expect(response.headers.get('retry-after')).toBe('2');
    await alone.stop();
  });

  it('sends the proxy secret as described in its comments', async () => {
    const map = temporaryFile('proxy only-the-proxy-knows\n');
    const withSecret = await startShippedWithEcho(startShippedHaproxy, [
      ['#http-request set-header X-Countersign', 'http-request set-header X-Countersign'],
      ['/etc/haproxy/countersign/proxy-secret.map', map],
    ]);
    const response = await withSecret.send({ lines: ['X-Countersign-Proxy-Secret: forged'] });
    expect(echoedValues(response, 'x-countersign-proxy-secret')).toEqual(['only-the-proxy-knows']);
    await withSecret.stop();
  });

  it('rejects other certificates in the handshake as described in its comments', async () => {
    const strict = await startShippedWithEcho(startShippedHaproxy, [[' ca-ignore-err all crt-ignore-err all', '']]);
    await expect(strict.send(undefined, { identity: selfSigned() })).rejects.toThrow(/alert/);
    expect((await strict.send(undefined, { identity: clientCa.issue() })).status).toBe(200);
    await strict.stop();
  });

  it('fails to start with the error if it is invalid', async () => {
    await expect(startHaproxy({ configuration: 'frontend x\n    nonsense\n', ports: [] })).rejects.toThrow(
      /unknown keyword 'nonsense'/,
    );
    await expect(startShippedWithEcho(startShippedHaproxy, [['no such text', '']])).rejects.toThrow('"no such text"');
  });
});
