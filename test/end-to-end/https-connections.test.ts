import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { clientIds, type HttpsServer, identityOf, startHttpsServer, tokenRequest } from '../support/https-server.ts';
import { type Open, openTls } from '../support/open-connection.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The handshake authenticates the proxy for the whole connection. */
const proxyCa = createTestCa({ subject: [['CN', 'Proxy CA']] });
const proxy = proxyCa.issue({ dns: ['gw.internal'] });
const byCa = {
  COUNTERSIGN_PROXY_CA_FILE: proxyCa.writeTo(temporaryDirectory(), 'proxy-ca').cert,
  COUNTERSIGN_PROXY_SANS: 'gw.internal',
};
const statusLines = (received: string) => received.match(/HTTP\/1\.1 \d{3}/g) ?? [];

describe('on one HTTPS connection', () => {
  let server: HttpsServer;
  beforeAll(async () => {
    server = await startHttpsServer(byCa);
  });
  afterAll(() => server?.stop());

  /** Sends a request on an open connection, and waits for its response and its audit event. */
  async function requestOn({ socket, received, closed }: Open<TLSSocket>, clientId: string) {
    const before = statusLines(received()).length;
    const { event } = await server.decide(async () => {
      socket.write(tokenRequest(clientId));
      await eventually(() => statusLines(received()).length > before || closed(), received);
    });
    return event;
  }

  test('every request is authenticated by the certificate of the handshake', async () => {
    const trusted = await openTls(server.url, identityOf(proxy));
    const unauthenticated = await openTls(server.url);
    for (const clientId of [...clientIds, ...clientIds]) {
      expect(await requestOn(trusted, clientId)).toMatchObject({ event: 'token_issued', client_id: clientId });
      expect(await requestOn(unauthenticated, clientId)).toMatchObject({
        event: 'token_rejected',
        client_id: clientId,
      });
    }
    trusted.socket.destroy();
    unauthenticated.socket.destroy();
  });

  /** Opens a connection and gets a token, both before the certificate of the proxy expires. */
  async function useBeforeExpiry(seconds: number) {
    const notAfter = new Date(Date.now() + seconds * 1_000);
    const open = await openTls(server.url, identityOf(proxyCa.issue({ dns: ['gw.internal'], notAfter })));
    const event = await requestOn(open, 'chained');
    // A busy machine may need more time.
    if (event.event !== 'token_issued' && Date.now() > notAfter.getTime() && seconds < 60) {
      open.socket.destroy();
      return useBeforeExpiry(seconds * 2);
    }
    expect(event).toMatchObject({ event: 'token_issued' });
    return { open, notAfter };
  }

  test('the proxy is untrusted once its certificate expires', async () => {
    const { open, notAfter } = await useBeforeExpiry(3);
    await delay(notAfter.getTime() + 1_000 - Date.now());
    const rejected = {
      event: 'token_rejected',
      reason: expect.stringMatching(/proxy certificate \(\S+\) expired at 20/),
    };
    expect(await requestOn(open, 'chained')).toMatchObject(rejected);
    expect(open.closed()).toBe(false);
    open.socket.destroy();
  });

  test('renegotiation, which could change the certificate, is refused', async () => {
    const open = await openTls(server.url, { ...identityOf(proxy), maxVersion: 'TLSv1.2' });
    const outcome = await new Promise<string>((resolve) => {
      open.socket.once('error', ({ message }) => resolve(message));
      open.socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error?.message ?? 'renegotiated'));
    });
    expect(outcome).toMatch(/no.renegotiation/i);
    await eventually(open.closed, () => 'the connection is still open');
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s sessions are not resumed', async (version) => {
    const sessions: Buffer[] = [];
    const first = await openTls(server.url, { ...identityOf(proxy), maxVersion: version, minVersion: version });
    first.socket.on('session', (session) => sessions.push(session));
    const ofHandshake = first.socket.getSession();
    if (ofHandshake) sessions.push(ofHandshake);
    expect(await requestOn(first, 'chained')).toMatchObject({ event: 'token_issued' });
    first.socket.destroy();
    expect(sessions.length).toBeGreaterThan(0);
    for (const session of sessions) {
      const second = await openTls(server.url, { session, maxVersion: version, minVersion: version });
      expect([second.socket.getProtocol(), second.socket.isSessionReused()]).toEqual([version, false]);
      const reason = 'no certificate: the proxy presented no certificate in the TLS handshake';
      expect(await requestOn(second, 'chained')).toMatchObject({ event: 'token_rejected', reason });
      second.socket.destroy();
    }
  });

  test('the header size limit is that of HTTP', async () => {
    for (const [size, status] of [
      [60_000, 400],
      [70_000, 431],
    ] as const) {
      const open = await openTls(server.url);
      open.socket.write(`POST /token HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(size)}\r\nConnection: close\r\n\r\n`);
      await eventually(open.closed, open.received);
      expect(statusLines(open.received())).toEqual([`HTTP/1.1 ${status}`]);
    }
  });
});
