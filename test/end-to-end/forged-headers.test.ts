import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { type Deployment, formOf, mtlsHost, plainHost, type Route, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { exact, forwardable, rejectedByNginx } from '../support/forged-headers.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { requestBytes } from '../support/raw-http.ts';
import { tokenIdsIn } from '../support/token-ids.ts';

/** For each victim: a client by its subject DN, and one by its self-signed certificate. */
const noCertificate = /^no certificate: the terminator forwarded no certificate in x-ssl-client-cert$/;
const otherCertificate =
  /^(the certificate's subject is "CN=\w+"; registered is "CN=victim"|the certificate \S+ is not registered for this client)/;
const notVerified =
  /^(the certificate's chain is not verified: x-ssl-client-verify is "FAILED:|the certificate \S+ is not registered for this client)/;

describeWith(['nginx', 'redis-server'], 'a forged certificate header', () => {
  const genuine = { chained: { clientId: 'victim' }, selfSigned: { clientId: 'victim-self-signed' } };
  const selfSignedVictim = selfSigned({ subject: [['CN', 'victim']] });
  let deployment: Deployment;
  let victims: { clientId: string; certificate: MintedCertificate }[];
  let attackers: Record<'registered' | 'unregistered' | 'selfSigned' | 'foreign', MintedCertificate>;
  const responses: HttpResponse[] = [];
  const tokensOfControls: unknown[] = [];

  beforeAll(async () => {
    deployment = await startDeployment();
    const { ca } = deployment;
    const attacker = { subject: [['CN', 'attacker']] } as const;
    victims = [
      { ...genuine.chained, certificate: ca.issue({ subject: [['CN', 'victim']] }) },
      { ...genuine.selfSigned, certificate: selfSignedVictim },
    ];
    attackers = {
      registered: ca.issue(attacker),
      unregistered: ca.issue({ subject: [['CN', 'nobody']] }),
      selfSigned: selfSigned({ subject: [['CN', 'victim']] }),
      foreign: createTestCa().issue({ subject: [['CN', 'victim']] }),
    };
    await registerAll();
  });
  afterAll(() => deployment?.stop());

  async function registerAll() {
    const byName = (name: string) => ({
      client_id: name,
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: `CN=${name}`,
    });
    await deployment.register(byName('victim'));
    await deployment.register(byName('attacker'));
    await deployment.register({
      client_id: genuine.selfSigned.clientId,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint: selfSignedVictim.thumbprint }],
    });
  }

  /** Sends every request of this file, so that the last test can check every response. */
  async function ask(clientId: string, lines: string[], route: Route, path = '/token') {
    const request = {
      path,
      lines: ['Content-Type: application/x-www-form-urlencoded', ...lines],
      body: formOf(clientId),
    };
    return collect(() => deployment.send(request, route));
  }

  async function collect(send: () => Promise<HttpResponse>) {
    const { response, events } = await deployment.watch(send);
    responses.push(response);
    return { response, events };
  }

  async function expectRejected(sent: ReturnType<typeof ask>, reason: RegExp) {
    const { response, events } = await sent;
    expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
    expect(events).toMatchObject([{ event: 'token_rejected', reason: expect.stringMatching(reason) }]);
  }

  /** nginx responds itself: nothing reaches the application. */
  async function expectUnread(sent: ReturnType<typeof ask>, status: number) {
    const { response, events } = await sent;
    expect([response.status, events]).toEqual([status, []]);
  }

  async function expectToken(sent: ReturnType<typeof ask>, clientId: string, { thumbprint }: MintedCertificate) {
    const { response, events } = await sent;
    expect(response.status).toBe(200);
    expect(events).toMatchObject([{ event: 'token_issued', client_id: clientId, thumbprint }]);
    tokensOfControls.push(events[0]?.jti);
  }

  const routes: [string, () => Route, RegExp][] = [
    ['without a certificate', () => ({}), noCertificate],
    ["with another client's certificate", () => ({ identity: attackers.registered }), otherCertificate],
    ["with an unregistered client's certificate", () => ({ identity: attackers.unregistered }), otherCertificate],
    ['with a self-signed one of the same name', () => ({ identity: attackers.selfSigned }), notVerified],
    ['with one of the same name by another CA', () => ({ identity: attackers.foreign }), notVerified],
    ['at the plain host', () => ({ host: plainHost, identity: attackers.registered }), noCertificate],
  ];

  describe.each(routes)('sent %s', (_title, route, reason) => {
    test.each(forwardable)('gets no token: %s', async (_spelling, lines) => {
      for (const { clientId, certificate } of victims) {
        await expectRejected(ask(clientId, lines(certificate), route()), reason);
      }
    });
    test.each(rejectedByNginx)('does not reach the server: %s', async (_spelling, lines) => {
      for (const { clientId, certificate } of victims) {
        await expectUnread(ask(clientId, lines(certificate), route()), 400);
      }
    });
    test('gets no token: in a trailer', async () => {
      for (const { clientId, certificate } of victims) {
        const bytes = inTrailer(clientId, exact(certificate), route().host ?? mtlsHost);
        await expectRejected(
          collect(() => deployment.sendBytes(bytes, route())),
          reason,
        );
      }
    });
  });

  test.each(forwardable)(
    'does not change the result for the certificate of its sender: %s',
    async (_spelling, lines) => {
      const identity = attackers.registered;
      for (const { certificate } of victims) {
        await expectToken(ask('attacker', lines(certificate), { identity }), 'attacker', identity);
      }
    },
  );

  test.each(forwardable)('does not change the result for the victim itself: %s', async (_spelling, lines) => {
    const forged = lines(attackers.registered);
    for (const { clientId, certificate } of victims) {
      await expectToken(ask(clientId, forged, { identity: certificate }), clientId, certificate);
    }
  });

  const elsewhere: [string, Route][] = [
    ['the plain host in the handshake, the other in the request', { sni: plainHost, host: mtlsHost }],
    ['the plain host in the handshake, an absolute request target', { sni: plainHost, host: plainHost }],
    ['the other in the handshake, the plain host in the request', { sni: mtlsHost, host: plainHost }],
  ];
  test.each(elsewhere)('does not reach the server with %s', async (_title, route) => {
    for (const { clientId, certificate } of victims) {
      for (const identity of [undefined, certificate, attackers.registered, attackers.selfSigned]) {
        const path = route.host === plainHost && route.sni === plainHost ? `https://${mtlsHost}/token` : '/token';
        await expectUnread(ask(clientId, exact(certificate), { ...route, identity }, path), 421);
      }
    }
  });

  test.each([
    ['no name', ''],
    ['a name that is not served', 'other.example'],
  ])('does not pass the handshake with %s', async (_title, sni) => {
    const [victim] = victims;
    const sent = ask('victim', [], { sni, identity: victim?.certificate });
    await expect(sent).rejects.toThrow(/unrecognized name/i);
  });

  test('gets no token with an absolute request target', async () => {
    for (const { clientId, certificate } of victims) {
      const forged = exact(certificate);
      const identity = attackers.registered;
      await expectUnread(ask(clientId, forged, {}, `https://${plainHost}/token`), 421);
      await expectUnread(ask(clientId, forged, { identity }, `https://${plainHost}/token`), 421);
      const path = `https://${mtlsHost}/token`;
      await expectRejected(ask(clientId, forged, { identity }, path), otherCertificate);
      await expectToken(ask(clientId, [], { identity: certificate }, path), clientId, certificate);
    }
  });

  test('got no token in the whole test, except for genuine certificates', () => {
    const events = deployment.countersign.auditEvents().filter(({ event }) => event === 'token_issued');
    expect(responses.length).toBeGreaterThan(2 * routes.length * (forwardable.length + rejectedByNginx.length));
    expect(tokensOfControls.length).toBeGreaterThan(2 * forwardable.length);
    expect(responses.flatMap(tokenIdsIn)).toEqual(tokensOfControls);
    expect(events.map(({ jti }) => jti)).toEqual(tokensOfControls);
  });
});

/** A chunked form, with the lines after its last chunk. */
function inTrailer(clientId: string, lines: string[], host: string): Uint8Array {
  const form = formOf(clientId);
  const head = requestBytes({
    lines: [
      `Host: ${host}`,
      'Content-Type: application/x-www-form-urlencoded',
      'Transfer-Encoding: chunked',
      'Trailer: X-SSL-Client-Cert, X-SSL-Client-Verify',
    ],
  });
  return Buffer.concat([head, Buffer.from([form.length.toString(16), form, '0', ...lines, '', ''].join('\r\n'))]);
}
