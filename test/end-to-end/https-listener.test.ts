import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import {
  type HttpsServer,
  identityOf,
  serverCa,
  startHttpsServer,
  tokenRequest,
  withoutTls,
} from '../support/https-server.ts';
import { opened, openPlain, openTls } from '../support/open-connection.ts';
import { slowdown } from '../support/slowdown.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The HTTPS listener survives malformed and unexpected input. */
const proxyCa = createTestCa({ subject: [['CN', 'Proxy CA']] });
const proxy = proxyCa.issue({ dns: ['gw.internal'] });
const byCa = {
  COUNTERSIGN_PROXY_CA_FILE: proxyCa.writeTo(temporaryDirectory(), 'proxy-ca').cert,
  COUNTERSIGN_PROXY_SANS: 'gw.internal',
};

const malformedReasons = (server: HttpsServer) =>
  server.lines.filter(({ event }) => event === 'request_malformed').map(({ reason }) => reason);

describe('the HTTPS listener closes only the connection of', () => {
  let server: HttpsServer;
  beforeAll(async () => {
    server = await startHttpsServer(byCa);
  });
  afterAll(() => server?.stop());

  const expectTokenIssued = async () => {
    const { event } = await server.ask('chained', { tls: identityOf(proxy) });
    expect(event).toMatchObject({ event: 'token_issued' });
  };

  test.each<[string, Uint8Array | string, string]>([
    [
      'an HTTP request',
      tokenRequest('chained'),
      'HTTP on an HTTPS listener: configure the proxy to use HTTPS to the server',
    ],
    ['a malformed TLS record', Buffer.of(22, 3, 1, 0, 5, 1, 2, 3, 4, 5), 'ERR_SSL_EXCESSIVE_MESSAGE_SIZE'],
    [
      'an SSH client',
      'SSH-2.0-x\r\n',
      'not TLS: does the proxy use HTTP or the PROXY protocol to connect to an HTTPS listener?',
    ],
  ])('%s', async (_, bytes, reason) => {
    const before = malformedReasons(server).length;
    const open = await openPlain(server.url);
    open.socket.write(bytes);
    await eventually(open.closed, () => 'the connection is still open');
    expect(open.received()).not.toContain('HTTP');
    await eventually(
      () => malformedReasons(server).length > before,
      () => 'no event is logged',
    );
    expect(malformedReasons(server).slice(before)).toEqual([`in the TLS handshake: ${reason}`]);
    await expectTokenIssued();
  });

  test.each<[string, ConnectionOptions]>([
    ['a client with TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['a client with HTTP/2 only', { ALPNProtocols: ['h2'] }],
  ])('%s', async (_, options) => {
    await expect(openTls(server.url, { ...identityOf(proxy), ...options })).rejects.toThrow(/alert/i);
    await expectTokenIssued();
  });

  test('a probe that only connects, without an event', async () => {
    const before = malformedReasons(server).length;
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const open = await openPlain(server.url);
      open.socket[end]();
      await eventually(open.closed, () => 'the connection is still open');
    }
    await expectTokenIssued();
    expect(malformedReasons(server).slice(before)).toEqual([]);
  });

  test.each([
    ['on an idle connection', ''],
    ['after half a request', tokenRequest('chained').slice(0, 100)],
    ['after a request', tokenRequest('chained')],
  ])('a client that sends a corrupt TLS record %s', async (_, bytes) => {
    const before = malformedReasons(server).length;
    const wire = await openPlain(server.url);
    const { socket } = opened(connectTls({ socket: wire.socket, servername: 'localhost', ca: serverCa }));
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write(bytes);
    // Immediately afterwards, so that the server reads both before it responds.
    setImmediate(() => wire.socket.write(Buffer.from([23, 3, 3, 0, 20, ...new Array(20).fill(1)])));
    await eventually(wire.closed, () => 'the connection is still open');
    await eventually(
      () => malformedReasons(server).length > before,
      () => 'no event is logged',
    );
    expect(malformedReasons(server).slice(before)).toEqual([expect.stringMatching(/^ERR_SSL_.*BAD_RECORD_MAC$/)]);
    await expectTokenIssued();
  });

  test('a TLS client at the HTTP port', async () => {
    const http = await startHttpsServer(withoutTls);
    expect(http.url).toMatch(/^http:/);
    await expect(openTls(http.url, identityOf(proxy))).rejects.toThrow(/wrong.version/i);
    const { event } = await http.ask('chained');
    expect(event).toMatchObject({ event: 'token_issued' });
    await http.stop();
  });
});

/** Concurrently, since they mostly wait. */
describe.concurrent('slow connections of the HTTPS listener', () => {
  test('are closed if silent or slow, during the handshake or after it', async () => {
    const server = await startHttpsServer(byCa);
    const silent = await openPlain(server.url);
    const slow = await openPlain(server.url);
    const mute = await openTls(server.url, identityOf(proxy));
    const dripping = setInterval(() => slow.socket.write(Buffer.of(22)), 1_000);
    slow.socket.write(Buffer.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3));
    mute.socket.write('POST /token HTTP/1.1\r\n');
    await eventually(() => [silent, slow, mute].every(({ closed }) => closed()), mute.received, 15_000);
    clearInterval(dripping);
    expect(mute.received()).toContain('HTTP/1.1 408 ');
    expect(
      malformedReasons(server).filter((reason) => String(reason).includes('the handshake did not complete in time')),
    ).toHaveLength(2);
    await server.stop();
  });

  test('are closed on SIGTERM, after the response to the request in flight', async () => {
    const server = await startHttpsServer(byCa);
    const idle = await openTls(server.url, identityOf(proxy));
    idle.socket.write(tokenRequest('chained'));
    await eventually(() => idle.received().includes('access_token'), idle.received);
    const busy = await openTls(server.url, identityOf(proxy));
    const bytes = tokenRequest('self-signed', 'Expect: 100-continue');
    busy.socket.write(bytes.slice(0, -5));
    // The server has read the header.
    await eventually(() => busy.received().startsWith('HTTP/1.1 100 '), busy.received);
    server.kill('SIGTERM');
    await server.waitForEvent(({ event }) => event === 'stopping');
    await eventually(idle.closed, () => 'the idle connection is still open');
    busy.socket.write(bytes.slice(-5));
    expect(await server.exited).toBe(0);
    expect(busy.received()).toContain('access_token');
    expect(busy.received().toLowerCase()).toContain('connection: close');
  });

  test('delay the exit on SIGTERM by at most ten seconds', async () => {
    const server = await startHttpsServer(byCa);
    const half = await openPlain(server.url);
    half.socket.write(Buffer.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3));
    await delay(200);
    const started = performance.now();
    server.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000 + 4_000 * slowdown());
  });
});
