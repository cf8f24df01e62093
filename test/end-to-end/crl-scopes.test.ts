import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MintedCertificate, toPem } from '../support/certificates.ts';
import { type CrlServer, startCrlServer } from '../support/crl-server.ts';
import {
  createCrl,
  crlDistributionPoints,
  crlNumber,
  distributionPoint,
  fullName,
  onlyClients,
} from '../support/crls.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { generalName } from '../support/general-names.ts';

describeWith(
  ['nginx', 'redis-server'],
  'a server behind nginx with CRLs that have an issuing distribution point',
  () => {
    let deployment: Deployment;
    let crls: CrlServer;
    beforeAll(async () => {
      crls = await startCrlServer(Buffer.from('not published yet'));
      const env = { COUNTERSIGN_CLIENT_CRLS: crls.url, COUNTERSIGN_CRL_INTERVAL: '1s' };
      deployment = await startDeployment({ env });
      await deployment.register({
        client_id: 'billing',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=billing',
      });
    });
    afterAll(async () => {
      await deployment?.stop();
      await crls?.stop();
    });

    let published = 0;
    /** A CRL of end-entity certificates as step-ca writes it. A later one is newer. */
    const crlAt = (path: string, ...revoked: readonly MintedCertificate[]) => {
      published += 1;
      const point = distributionPoint(fullName(generalName.uri(`http://ca.example/${path}`)), onlyClients);
      const thisUpdate = new Date(Date.now() - 3_600_000 + published * 1_000);
      return createCrl(deployment.ca, { revoked, thisUpdate, extensions: [crlNumber(BigInt(published)), point] });
    };
    const client = (...paths: readonly string[]) =>
      deployment.ca.issue({
        subject: [['CN', 'billing']],
        extraExtensions:
          paths.length === 0
            ? []
            : [crlDistributionPoints([fullName(...paths.map((path) => generalName.uri(`http://ca.example/${path}`)))])],
      });
    const reasonFor = async (identity: MintedCertificate) => {
      const { response, event } = await deployment.requestToken('billing', { identity });
      return response.status === 200 ? 'granted' : String(event.reason);
    };
    const eventuallyFor = async (identity: MintedCertificate, reason: string) => {
      let last = '';
      await eventually(
        async () => {
          last = await reasonFor(identity);
          return last.includes(reason);
        },
        () => `expected ${reason}, got ${last}`,
      );
    };

    test('issues tokens to clients of a CA that publishes one CRL, until they are revoked', async () => {
      const [own, other] = [client(), client()];
      expect(await reasonFor(own)).toContain('there is no CRL of CA "CN=Client CA"');
      crls.content = crlAt('1.0/crl');
      await eventuallyFor(own, 'granted');
      crls.content = crlAt('1.0/crl', own);
      await eventuallyFor(own, 'the certificate is revoked by CA "CN=Client CA"');
      expect(await reasonFor(other)).toBe('granted');
    });

    test('uses for each client the CRL of its distribution point', async () => {
      const [first, second, third, unnamed] = [client('1.crl'), client('x.crl', '2.crl'), client('3.crl'), client()];
      const bundle = [crlAt('1.crl'), crlAt('2.crl')].map((crl) => toPem(crl, 'X509 CRL'));
      crls.content = Buffer.from(bundle.join(''));
      await eventuallyFor(first, 'granted');
      expect(await reasonFor(second)).toBe('granted');
      expect(await reasonFor(third)).toContain('that the certificate names (http://ca.example/3.crl)');
      expect(await reasonFor(third)).toContain('distribution point http://ca.example/1.crl)');
      expect(await reasonFor(unnamed)).toContain('is one of several');
      crls.content = crlAt('3.crl', third);
      await eventuallyFor(third, 'the certificate is revoked');
    });
  },
);
