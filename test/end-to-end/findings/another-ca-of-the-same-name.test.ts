import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa } from '../../support/certificates.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { tokenIdsIn } from '../../support/token-ids.ts';

/** Has the name of the client CA of a deployment, and a different key. */
const twin = createTestCa({ subject: [['CN', 'Client CA']] });
const subject = [['CN', 'victim']] as const;
const trustedFile = {
  nginx: 'ssl_trusted_certificate /etc/nginx/countersign/client-ca.pem',
  envoy: 'trusted_ca: { filename: /etc/envoy/countersign/client-ca.pem }',
} as const;

/** A verifier that only compares issuer names cannot distinguish the CAs. */
describe.each(['nginx', 'envoy'] as const)('behind %s', (terminator) => {
  describeWith([terminator, 'redis-server'], 'a terminator that trusts another CA of the same name', () => {
    let misconfigured: Deployment;
    beforeAll(async () => {
      const { cert } = twin.writeTo(temporaryDirectory(), 'twin');
      const wrong = trustedFile[terminator].replace(/\/etc\S+\.pem/, cert);
      misconfigured = await startDeployment({ terminator, replace: [[trustedFile[terminator], wrong]] });
      await misconfigured.register({
        client_id: 'victim',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=victim',
      });
    });
    afterAll(() => misconfigured?.stop());

    test.each([
      ['alone', twin.issue({ subject })],
      ['followed by its CA certificate', withChain()],
    ])("gets no token for that CA's certificate %s, since the server verifies the signature", async (_, identity) => {
      const { response, event } = await misconfigured.requestToken('victim', { identity });
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
