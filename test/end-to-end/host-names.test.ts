import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Deployment, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { connectHttp2 } from '../support/http2-request.ts';
import { clientCa, type ShippedWithEcho, startShippedWithEcho } from '../support/shipped-with-echo.ts';
import { type ShippedTerminator, type TerminatorName, terminators } from '../support/terminators.ts';

/**
 * Clients send a name as it was typed (Go, Java), curl in lower case but with the final dot, and each of them with or
 * without the port. It is the same name (RFC 4343, RFC 9110 §4.2.3).
 */
const upper = mtlsHost.toUpperCase();
const mixed = 'Mtls.auTh.examplE';

const sameName: readonly (readonly [sni: string, host: string])[] = [
  [upper, upper],
  [upper, mtlsHost],
  [mtlsHost, upper],
  [mixed, upper],
  [mtlsHost, `${mixed}:443`],
  [upper, `${upper}:8443`],
];
const finalDot = [
  [mtlsHost, `${mtlsHost}.`],
  [mixed, `${upper}.:443`],
] as const;

const plainUpper = plainHost.toUpperCase();
const otherName: readonly (readonly [sni: string, host: string])[] = [
  [upper, plainHost],
  [upper, plainUpper],
  [mtlsHost, plainUpper],
  [plainUpper, mtlsHost],
  [plainHost, upper],
  [plainUpper, `${upper}.`],
  [mtlsHost, `${plainHost}.`],
  [mtlsHost, `x.${mtlsHost}`],
  [mtlsHost, `.${mtlsHost}`],
  [mtlsHost, `${mtlsHost}..`],
  [mtlsHost, `${mtlsHost}.${plainHost}`],
  [plainHost, `${plainHost} ${mtlsHost}`],
  [mtlsHost, `${mtlsHost.replace('.', 'x')}`],
];

for (const name of Object.keys(terminators) as TerminatorName[]) {
  const { program, start }: ShippedTerminator = terminators[name];

  describeWith([program], `the shipped configuration of ${name}`, () => {
    let shipped: ShippedWithEcho;
    beforeAll(async () => {
      shipped = await startShippedWithEcho(start);
    });
    afterAll(() => shipped?.stop());

    const statusOf = async (sni: string, host: string): Promise<number | 'rejected'> => {
      const route = { sni, host, identity: clientCa.issue(), anyServer: true };
      const response = await shipped.send(undefined, route).catch(() => undefined);
      return response?.status ?? 'rejected';
    };

    test.each(sameName)('serves %s in the handshake and %s in the request', async (sni, host) => {
      expect(await statusOf(sni, host)).toBe(200);
    });

    // strict_sni_host of Caddy takes a name with a final dot for another name.
    test.each(finalDot)('handles the final dot with %s in the handshake and %s in the request', async (sni, host) => {
      expect(await statusOf(sni, host)).toBe(name === 'caddy' ? 421 : 200);
    });

    test.each(otherName)('rejects %s in the handshake and %j in the request', async (sni, host) => {
      // Traefik has no route for another name.
      expect(name === 'traefik' ? [400, 404, 421] : [400, 421]).toContain(await statusOf(sni, host));
    });

    test('serves upper case over HTTP/2, and rejects the other host', async () => {
      const { pem: cert, privateKeyPem: key } = clientCa.issue();
      const tls = { servername: upper, cert, key, rejectUnauthorized: false };
      const connection = await connectHttp2(`https://127.0.0.1:${shipped.port}`, tls);
      const statuses = [];
      for (const authority of [upper, mixed, plainUpper]) {
        statuses.push((await connection.send({ authority, body: '' })).status);
      }
      connection.close();
      expect(statuses).toEqual([200, 200, 421]);
    });
  });
}

describeWith(['nginx'], 'the shipped configuration of nginx', () => {
  let shipped: ShippedWithEcho;
  beforeAll(async () => {
    shipped = await startShippedWithEcho(terminators.nginx.start);
  });
  afterAll(() => shipped?.stop());

  /** Every spelling of a name that nginx takes for one of its two servers, in the handshake and in the request. */
  const spellings = (name: string) => [name, name.toUpperCase(), `${name}.`, `${name.toUpperCase()}.`];
  describe.each([mtlsHost, plainHost])('with %s in the request', (host) => {
    test.each([mtlsHost, plainHost])('and %s in the handshake forwards it only for the same name', async (sni) => {
      for (const named of spellings(sni)) {
        for (const requested of spellings(host)) {
          const { status } = await shipped.send(undefined, { sni: named, host: requested, anyServer: true });
          expect([named, requested, status]).toEqual([named, requested, sni === host ? 200 : 421]);
        }
      }
    });
  });

  // What stands between the two names in the compared text must not come from the client.
  test.each([
    [`${mtlsHost} ${plainHost}`, plainHost],
    [`${plainHost} ${plainHost}`, plainHost],
    [`${mtlsHost}:443`, mtlsHost],
    [`${mtlsHost}\n`, mtlsHost],
  ])('forwards nothing for the server name %j and the host %s', async (sni, host) => {
    const response = await shipped.send(undefined, { sni, host, anyServer: true }).catch(() => undefined);
    expect([undefined, 400, 421]).toContain(response?.status);
  });
});

describeWith(['nginx', 'redis-server'], 'behind the shipped nginx', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment();
    await deployment.register({
      client_id: 'go',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=go',
    });
  });
  afterAll(() => deployment?.stop());

  test('a client gets a token if it spells the host in upper case', async () => {
    const identity = deployment.ca.issue({ subject: [['CN', 'go']] });
    const route = { identity, sni: upper, host: `${upper}:${deployment.port}` };
    const { response, event } = await deployment.requestToken('go', route);
    expect([response.status, event.event]).toEqual([200, 'token_issued']);
  });
});
