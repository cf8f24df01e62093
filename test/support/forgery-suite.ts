import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HeaderFormatName } from '../../src/terminator/formats.ts';
import { createTestCa, type MintedCertificate, selfSigned } from './certificates.ts';
import { type Deployment, formOf, mtlsHost, plainHost, type Route, startDeployment } from './deployment.ts';
import { describeWith } from './describe-with.ts';
import { type Forgery, forgeriesFor, http2ForgeriesFor } from './forgery-corpus.ts';
import type { HttpResponse } from './http-response.ts';
import { connectHttp2 } from './http2-request.ts';
import { requestBytes } from './raw-http.ts';
import { sendSequentially } from './sequential-requests.ts';
import { type ShippedTerminator, type TerminatorName, terminators } from './terminators.ts';
import { tokenIdsIn, tokenIdsInText } from './token-ids.ts';

const selfSignedVictim = selfSigned({ subject: [['CN', 'self-signed victim']] });

interface Victim {
  readonly clientId: string;
  readonly certificate: MintedCertificate;
}

/** Sends all forgeries through a terminator with its shipped configuration. One file per terminator, to run in parallel. */
export function describeForgeriesThrough(name: TerminatorName): void {
  const { program, env }: ShippedTerminator = terminators[name];
  const format = env.COUNTERSIGN_TERMINATOR as HeaderFormatName; // Safe: the configurations name one of the table.

  describeWith(
    [program, 'redis-server'],
    `a client gets no token through ${name} for a certificate without its key`,
    () => {
      let deployment: Deployment;
      let victims: Victim[];
      let attacker: MintedCertificate;
      const tokensOfControls: unknown[] = [];
      const answers: (HttpResponse | string)[] = [];

      beforeAll(async () => {
        deployment = await startDeployment({ terminator: name });
        const { ca, register } = deployment;
        attacker = ca.issue({ subject: [['CN', 'attacker']] });
        victims = [
          { clientId: 'victim', certificate: ca.issue({ subject: [['CN', 'victim']] }) },
          { clientId: 'self-signed', certificate: selfSignedVictim },
        ];
        for (const clientId of ['victim', 'attacker']) {
          const byName = {
            token_endpoint_auth_method: 'tls_client_auth',
            tls_client_auth_subject_dn: `CN=${clientId}`,
          };
          await register({ client_id: clientId, ...byName });
        }
        const certificates = [{ thumbprint: selfSignedVictim.thumbprint }];
        await register({
          client_id: 'self-signed',
          token_endpoint_auth_method: 'self_signed_tls_client_auth',
          certificates,
        });
      });
      afterAll(() => deployment?.stop());

      /** Concurrently, since most of the time is spent waiting for responses. */
      const forEachVictim = (attack: (victim: Victim) => Promise<void>) => Promise.all(victims.map(attack));

      /** A connection that the terminator closes counts as a response. */
      async function collect(send: () => Promise<HttpResponse>) {
        const answer = await send().catch((error: Error) => error.message);
        answers.push(answer);
        return answer;
      }

      const routes: [string, () => Route][] = [
        ['without a certificate', () => ({})],
        ["with the attacker's certificate", () => ({ identity: attacker })],
        ['with a self-signed one of the same name', () => ({ identity: selfSigned({ subject: [['CN', 'victim']] }) })],
        [
          'with one of the same name by another CA',
          () => ({ identity: createTestCa().issue({ subject: [['CN', 'victim']] }) }),
        ],
        ['at the plain host', () => ({ host: plainHost, identity: attacker })],
        ['by the handshake of the plain host', () => ({ sni: plainHost, host: mtlsHost, identity: attacker })],
        ['at the plain host, by the other handshake', () => ({ sni: mtlsHost, host: plainHost, identity: attacker })],
      ];

      test.each(routes)('over HTTP/1.1 %s', async (_, route) => {
        const sender = route();
        await forEachVictim(async ({ clientId, certificate }) => {
          for (const forgery of forgeriesFor(format, certificate, sender.identity ? attacker : certificate)) {
            await collect(() => deployment.sendBytes(http1Request(clientId, forgery, sender.host ?? mtlsHost), sender));
          }
        });
        expectNoToken();
      });

      test.each(routes)('over HTTP/2 %s', async (_, route) => {
        const { identity, host = mtlsHost, sni = host } = route();
        const own = identity && { cert: identity.pem, key: identity.privateKeyPem };
        await forEachVictim(async ({ clientId, certificate }) => {
          for (const { title: _title, ...request } of http2ForgeriesFor(format, certificate)) {
            await collect(async () => {
              const tls = { ca: deployment.serverCa, servername: sni, ...own };
              const connection = await connectHttp2(`https://127.0.0.1:${deployment.port}`, tls);
              return connection
                .send({ authority: host, body: formOf(clientId), ...request })
                .finally(() => connection.close());
            });
          }
        });
        expectNoToken();
      });

      test.each([
        [plainHost, mtlsHost],
        [mtlsHost, plainHost],
        [mtlsHost, mtlsHost],
      ])('over an HTTP/1.1 connection that was used for %s, to %s', async (sni, host) => {
        const own = { cert: attacker.pem, key: attacker.privateKeyPem };
        const tls = { ca: deployment.serverCa, servername: sni, ...own };
        // Apache keeps a connection open only after a successful response.
        const honest = requestBytes({ method: 'GET', path: '/jwks', lines: [`Host: ${sni}`] });
        await forEachVictim(async ({ clientId, certificate }) => {
          for (const forgery of forgeriesFor(format, certificate, attacker)) {
            const requests = [honest, http1Request(clientId, forgery, host)];
            const { text, count } = await sendSequentially(`https://127.0.0.1:${deployment.port}`, requests, tls);
            expect(tokenIdsInText(text), forgery.title).toEqual([]);
            expect(count, forgery.title).toBe(2);
          }
        });
        expectNoToken();
      });

      test('over one HTTP/2 connection to both hosts in turn', async () => {
        const hosts = [plainHost, mtlsHost, plainHost, mtlsHost];
        for (const sni of [plainHost, mtlsHost]) {
          const own = { cert: attacker.pem, key: attacker.privateKeyPem };
          const tls = { ca: deployment.serverCa, servername: sni, ...own };
          const connection = await connectHttp2(`https://127.0.0.1:${deployment.port}`, tls);
          for (const authority of hosts) {
            const answer = await collect(() => connection.send({ authority, body: formOf('victim') }));
            if (authority !== sni && typeof answer !== 'string') expect([400, 421]).toContain(answer.status);
          }
          connection.close();
        }
        expectNoToken();
      });

      test('but gets one for its own certificate, regardless of forged headers', async () => {
        for (const { lines, title } of forgeriesFor(format, selfSignedVictim, attacker).slice(0, 7)) {
          const more = {
            lines: ['Content-Type: application/x-www-form-urlencoded', ...lines],
            body: formOf('attacker'),
          };
          const watched = await deployment.watch(() => deployment.send(more, { identity: attacker }));
          const { response } = watched;
          answers.push(response);
          // The event of an earlier request, whose connection the proxy closed, may arrive late: it names the victim.
          const events = watched.events.filter(({ client_id }) => client_id === 'attacker');
          // A terminator may reject the request. If it forwards it, the certificate is the attacker's own.
          if (events.length === 0) continue;
          expect(events, title).toMatchObject([{ event: 'token_issued', thumbprint: attacker.thumbprint }]);
          tokensOfControls.push(...tokenIdsIn(response));
        }
        expect(tokensOfControls.length).toBeGreaterThan(3);
        expectNoToken();
      });

      function expectNoToken() {
        const issued = deployment.countersign.auditEvents().filter(({ event }) => event === 'token_issued');
        expect(issued.map(({ jti }) => jti)).toEqual(tokensOfControls);
        expect(answers.flatMap((answer) => (typeof answer === 'string' ? [] : tokenIdsIn(answer)))).toEqual(
          tokensOfControls,
        );
      }
    },
  );
}

function http1Request(clientId: string, { lines, trailers }: Forgery, host: string): Uint8Array {
  const all = [`Host: ${host}`, 'Content-Type: application/x-www-form-urlencoded', ...lines];
  const form = formOf(clientId);
  if (!trailers) return requestBytes({ lines: all, body: form });
  const head = requestBytes({ lines: [...all, 'Transfer-Encoding: chunked'] });
  return Buffer.concat([head, Buffer.from([form.length.toString(16), form, '0', ...trailers, '', ''].join('\r\n'))]);
}
