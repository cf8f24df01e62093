import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CertificateOptions, createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { receivedValues } from '../support/demo-upstream.ts';
import { describeWith } from '../support/describe-with.ts';
import { type EdgeDeployment, startEdgeDeployment } from '../support/edge-deployment.ts';
import { type EdgeProxy, type EdgeProxyName, edgeProxies } from '../support/edge-proxies.ts';
import { certificateFor } from '../support/edge-records.ts';
import { eventually } from '../support/eventually.ts';
import { generalName, nameConstraints } from '../support/general-names.ts';

const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };
/** The certificate of the client "alpha", but for these options. */
const alpha = (options: CertificateOptions): CertificateOptions => ({ ...certificateFor('alpha'), ...options });

const causes = ['expired', 'wrong purpose', 'name constraint', 'untrusted'] as const;
type Cause = (typeof causes)[number];

const constraints = nameConstraints({ excluded: [generalName.dns('excluded.example')] });
const ca = createTestCa({ subject: [['CN', 'Client CA']], extraExtensions: [constraints] });
const certificates: Readonly<Record<Cause, MintedCertificate>> = {
  expired: ca.issue(alpha(past)),
  'wrong purpose': ca.issue(alpha({ eku: 'server' })),
  'name constraint': ca.issue(alpha({ dns: ['excluded.example'] })),
  untrusted: createTestCa({ subject: [['CN', 'Another CA']] }).issue(alpha({})),
};

const usual: Readonly<Record<Cause, RegExp>> = {
  expired: /^the certificate expired at /,
  'wrong purpose': /its extended key usage lacks clientAuth$/,
  'name constraint': /chain is not verified: .*(subtree|excluded)/,
  untrusted: /chain is not verified: .*(unable to|no known issuer)/,
};
/** HAProxy 2.6 rejects these in the handshake. */
const haproxyLog = /"reason":"SSL client certificate not trusted","ssl_c_err":48,/;

// Safe: the keys of the table are its names.
for (const name of Object.keys(edgeProxies) as EdgeProxyName[]) {
  const { program }: EdgeProxy = edgeProxies[name];
  describeWith([program], `at the edge of ${name}, a certificate that it rejects`, () => {
    let deployment: EdgeDeployment;
    beforeAll(async () => {
      deployment = await startEdgeDeployment({ proxy: name, ca });
    });
    afterAll(() => deployment?.stop());

    const denials = () => deployment.countersign.lines.filter(({ event }) => event === 'edge_check_denied');

    test.each(causes)('%s: the request does not reach the API, and a log has the reason', async (cause) => {
      const identity = certificates[cause];
      const before = denials().length;
      if (name === 'haproxy' && cause === 'name constraint') {
        await expect(deployment.send({ path: '/orders/1' }, identity)).rejects.toThrow(/alert/);
        await eventually(() => haproxyLog.test(deployment.proxy.errors()), deployment.proxy.errors);
        return;
      }
      const { response, received } = await deployment.exchange({ path: '/orders/1' }, identity);
      expect([response.status, received]).toEqual([401, []]);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      await eventually(
        () => denials().length > before,
        () => JSON.stringify(denials()),
      );
      expect(denials().slice(before)).toMatchObject([
        { error: 'invalid_client', reason: expect.stringMatching(usual[cause]) },
      ]);
    });

    test.each(['/reports/1', '/stock/1', '/elsewhere'])('gets no further with a token at %s', async (path) => {
      const token = await deployment.requestToken('alpha', 'https://reports.example').catch(() => 'a.b.c');
      const lines = [`Authorization: Bearer ${token}`];
      const { response, received } = await deployment.exchange({ path, lines }, certificates.expired);
      expect([401, 403, 404]).toContain(response.status);
      expect(received).toEqual([]);
    });

    test('and the API gets the id and the address of an accepted request, not those of the client', async () => {
      const lines = ['X-Request-ID: forged', 'X-Forwarded-For: 203.0.113.9'];
      const { response, received } = await deployment.exchange(
        { path: '/orders/1', lines },
        deployment.certificateOf('alpha'),
      );
      expect([response.status, received.length]).toEqual([200, 1]);
      const [request] = received;
      const values = (header: string) => (request ? receivedValues(request, header) : []);
      expect([...values('X-Request-ID'), ...values('X-Forwarded-For')].join()).not.toMatch(/forged|203\.0\.113\.9/);
      expect(values('X-Forwarded-For')).toHaveLength(1);
    });
  });
}
