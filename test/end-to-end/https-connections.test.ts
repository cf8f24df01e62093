import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { clientIds, type HttpsServer, identityOf, startHttpsServer, tokenRequest } from '../support/https-server.ts';
import { type Open, openTls } from '../support/open-connection.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A connection of the HTTPS listener is the proxy's by its handshake, however long it lasts. */
const proxyCa = createTestCa({ subject: [['CN', 'Proxy CA']] });
const proxy = proxyCa.issue({ dns: ['gw.internal'] });
const byCa = {
  COUNTERSIGN_PROXY_CA_FILE: proxyCa.writeTo(temporaryDirectory(), 'proxy-ca').cert,
  COUNTERSIGN_PROXY_SANS: 'gw.internal',
};
const answers = (received: string) => received.match(/HTTP\/1\.1 \d{3}/g) ?? [];

describe('on one connection', () => {
  let server: HttpsServer;
  beforeAll(async () => {
    server = await startHttpsServer(byCa);
  });
  afterAll(() => server?.stop());

  /** Sends a request on a connection that stays open, and waits for its answer and its event. */
  async function askOn({ socket, received, closed }: Open<TLSSocket>, clientId: string) {
    const before = answers(received()).length;
    const { event } = await server.decide(async () => {
      socket.write(tokenRequest(clientId));
      await eventually(() => answers(received()).length > before || closed(), received);
    });
    return event;
  }

  test('many requests are served, each by the certificate of the handshake', async () => {
    const trusted = await openTls(server.url, identityOf(proxy));
    const stranger = await openTls(server.url);
    for (const clientId of [...clientIds, ...clientIds]) {
      expect(await askOn(trusted, clientId)).toMatchObject({ event: 'token_issued', client_id: clientId });
      expect(await askOn(stranger, clientId)).toMatchObject({ event: 'token_rejected', client_id: clientId });
    }
    trusted.socket.destroy();
    stranger.socket.destroy();
  });

  /** Opens a connection and gets a token, both before the certificate of the proxy expires. */
  async function useBeforeExpiry(seconds: number) {
    const notAfter = new Date(Date.now() + seconds * 1_000);
    const open = await openTls(server.url, identityOf(proxyCa.issue({ dns: ['gw.internal'], notAfter })));
    const event = await askOn(open, 'chained');
    // A busy machine may need more time.
    if (event.event !== 'token_issued' && Date.now() > notAfter.getTime() && seconds < 60) {
      open.socket.destroy();
      return useBeforeExpiry(seconds * 2);
    }
    expect(event).toMatchObject({ event: 'token_issued' });
    return { open, notAfter };
  }

  test('the proxy is the proxy no longer than its certificate is valid', async () => {
    const { open, notAfter } = await useBeforeExpiry(3);
    await delay(notAfter.getTime() + 1_000 - Date.now());
    const refused = {
      event: 'token_rejected',
      reason: expect.stringMatching(/proxy certificate \(\S+\) expired at 20/),
    };
    expect(await askOn(open, 'chained')).toMatchObject(refused);
    expect(open.closed()).toBe(false);
    open.socket.destroy();
  });

  test('there is no second handshake, in which the certificate could be another', async () => {
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
    expect(await askOn(first, 'chained')).toMatchObject({ event: 'token_issued' });
    first.socket.destroy();
    expect(sessions.length).toBeGreaterThan(0);
    for (const session of sessions) {
      const second = await openTls(server.url, { session, maxVersion: version, minVersion: version });
      expect([second.socket.getProtocol(), second.socket.isSessionReused()]).toEqual([version, false]);
      const reason = 'no certificate: the proxy presented no certificate in the TLS handshake';
      expect(await askOn(second, 'chained')).toMatchObject({ event: 'token_rejected', reason });
      second.socket.destroy();
    }
  });

  test('a header may be as large as over HTTP, and not larger', async () => {
    for (const [octets, status] of [
      [60_000, 400],
      [70_000, 431],
    ] as const) {
      const open = await openTls(server.url);
      open.socket.write(
        `POST /token HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(octets)}\r\nConnection: close\r\n\r\n`,
      );
      await eventually(open.closed, open.received);
      expect(answers(open.received())).toEqual([`HTTP/1.1 ${status}`]);
    }
  });
});
