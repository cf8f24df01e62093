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

/** The HTTPS listener stands what it was not made for. */
const proxyCa = createTestCa({ subject: [['CN', 'Proxy CA']] });
const proxy = proxyCa.issue({ dns: ['gw.internal'] });
const byCa = {
  COUNTERSIGN_PROXY_CA_FILE: proxyCa.writeTo(temporaryDirectory(), 'proxy-ca').cert,
  COUNTERSIGN_PROXY_SANS: 'gw.internal',
};

const unreadable = (server: HttpsServer) =>
  server.lines.filter(({ event }) => event === 'request_malformed').map(({ reason }) => reason);

describe('what is no request ends, and nothing else does', () => {
  let server: HttpsServer;
  beforeAll(async () => {
    server = await startHttpsServer(byCa);
  });
  afterAll(() => server?.stop());

  const tokenStill = async () => {
    const { event } = await server.ask('chained', { tls: identityOf(proxy) });
    expect(event).toMatchObject({ event: 'token_issued' });
  };

  test.each<[string, Uint8Array | string, string]>([
    ['HTTP', tokenRequest('chained'), 'ERR_SSL_HTTP_REQUEST'],
    ['something that begins like TLS', Buffer.of(22, 3, 1, 0, 5, 1, 2, 3, 4, 5), 'ERR_SSL_EXCESSIVE_MESSAGE_SIZE'],
    ['SSH', 'SSH-2.0-x\r\n', 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ])('%s at the port for HTTPS', async (_, octets, code) => {
    const before = unreadable(server).length;
    const open = await openPlain(server.url);
    open.socket.write(octets);
    await eventually(open.closed, () => 'the connection is still open');
    expect(open.received()).not.toContain('HTTP');
    await eventually(
      () => unreadable(server).length > before,
      () => 'the log says nothing',
    );
    expect(unreadable(server).slice(before)).toEqual([`in the TLS handshake: ${code}`]);
    await tokenStill();
  });

  test.each<[string, ConnectionOptions]>([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['HTTP/2 alone', { ALPNProtocols: ['h2'] }],
  ])('%s', async (_, options) => {
    await expect(openTls(server.url, { ...identityOf(proxy), ...options })).rejects.toThrow(/alert/i);
    await tokenStill();
  });

  test('a probe that only connects, which is no event', async () => {
    const before = unreadable(server).length;
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const open = await openPlain(server.url);
      open.socket[end]();
      await eventually(open.closed, () => 'the connection is still open');
    }
    await tokenStill();
    expect(unreadable(server).slice(before)).toEqual([]);
  });

  test.each([
    ['idle', ''],
    ['half a request', tokenRequest('chained').slice(0, 100)],
    ['a request that is being answered', tokenRequest('chained')],
  ])('a connection that is damaged: %s', async (_, octets) => {
    const before = unreadable(server).length;
    const wire = await openPlain(server.url);
    const { socket } = opened(connectTls({ socket: wire.socket, servername: 'localhost', ca: serverCa }));
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write(octets);
    // On the heels of what was sent, so that both are read before there is an answer.
    setImmediate(() => wire.socket.write(Buffer.from([23, 3, 3, 0, 20, ...new Array(20).fill(1)])));
    await eventually(wire.closed, () => 'the connection is still open');
    await eventually(
      () => unreadable(server).length > before,
      () => 'the log says nothing',
    );
    expect(unreadable(server).slice(before)).toEqual([expect.stringMatching(/^ERR_SSL_.*BAD_RECORD_MAC$/)]);
    await tokenStill();
  });

  test('a handshake at the port for HTTP', async () => {
    const http = await startHttpsServer(withoutTls);
    expect(http.url).toMatch(/^http:/);
    await expect(openTls(http.url, identityOf(proxy))).rejects.toThrow(/wrong.version/i);
    const { event } = await http.ask('chained');
    expect(event).toMatchObject({ event: 'token_issued' });
    await http.stop();
  });
});

/** At the same time: most of it is waiting. */
describe.concurrent('connections that take their time', () => {
  test('one that is silent, or slow, in the handshake or after it is cut off', async () => {
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
    expect(unreadable(server).filter((reason) => String(reason).includes('ERR_TLS_HANDSHAKE_TIMEOUT'))).toHaveLength(2);
    await server.stop();
  });

  test('on SIGTERM the request that runs is answered, and every connection ends', async () => {
    const server = await startHttpsServer(byCa);
    const idle = await openTls(server.url, identityOf(proxy));
    idle.socket.write(tokenRequest('chained'));
    await eventually(() => idle.received().includes('access_token'), idle.received);
    const busy = await openTls(server.url, identityOf(proxy));
    const octets = tokenRequest('self-signed');
    busy.socket.write(octets.slice(0, -5));
    await delay(200);
    server.kill('SIGTERM');
    await server.waitForEvent(({ event }) => event === 'stopping');
    await eventually(idle.closed, () => 'the idle connection is still open');
    busy.socket.write(octets.slice(-5));
    expect(await server.exited).toBe(0);
    expect(busy.received()).toContain('access_token');
    expect(busy.received().toLowerCase()).toContain('connection: close');
  });

  test('half a handshake does not hold SIGTERM for more than ten seconds', async () => {
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
