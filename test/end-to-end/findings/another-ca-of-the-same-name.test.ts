import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa } from '../../support/certificates.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { tokenIdsIn } from '../../support/token-ids.ts';

/** Its name is that of the clients' CA of a deployment; its key is its own. */
const twin = createTestCa({ subject: [['CN', 'Client CA']] });
const subject = [['CN', 'victim']] as const;
const trustedFile = {
  nginx: 'ssl_trusted_certificate /etc/nginx/countersign/client-ca.pem',
  envoy: 'trusted_ca: { filename: /etc/envoy/countersign/client-ca.pem }',
} as const;

/** A verifier that compares the names of issuers alone takes either CA for the other. */
describe.each(['nginx', 'envoy'] as const)('behind %s', (terminator) => {
  describeWith([terminator, 'redis-server'], 'a terminator that trusts another CA of the same name', () => {
    let misled: Deployment;
    beforeAll(async () => {
      const { cert } = twin.writeTo(temporaryDirectory(), 'twin');
      const wrong = trustedFile[terminator].replace(/\/etc\S+\.pem/, cert);
      misled = await startDeployment({ terminator, replace: [[trustedFile[terminator], wrong]] });
      await misled.register({
        client_id: 'victim',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=victim',
      });
    });
    afterAll(() => misled?.stop());

    test.each([
      ['alone', twin.issue({ subject })],
      ['with its CA behind it', withChain()],
    ])("gets no token for that CA's certificate %s: the server verifies the signature", async (_, identity) => {
      const { response, event } = await misled.requestToken('victim', { identity });
      expect([response.status, tokenIdsIn(response)]).toEqual([400, []]);
      expect(event.reason).toMatch(
        /^the certificate's chain is not verified: the certificate is not signed by the key/,
      );
    });
  });
});

function withChain() {
  const leaf = twin.issue({ subject });
  return { ...leaf, pem: `${leaf.pem}${twin.pem}` };
}
