import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCa, type MintedCertificate, selfSigned } from '../../support/certificates.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startShippedEnvoy } from '../../support/envoy.ts';
import { freePort } from '../../support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../../support/header-echo.ts';
import type { RunningTerminator } from '../../support/shipped-terminator.ts';

const subject = [['CN', 'victim']] as const;
/** The server ignores what Envoy reports about the verification, as it did before the shipped configuration forwarded that. */
const env = { COUNTERSIGN_CLIENT_CA_FILE: '', COUNTERSIGN_VERIFY_HEADER: '' };

describeWith(
  ['envoy', 'redis-server'],
  'finding 6: Envoy forwards an unverified certificate as it does a verified one',
  () => {
    let deployment: Deployment;
    let echo: HeaderEcho;
    let envoyBeforeEcho: RunningTerminator;
    let echoPort: number;
    beforeAll(async () => {
      deployment = await startDeployment({ terminator: 'envoy', env });
      [echo, echoPort] = [await startHeaderEcho(), await freePort()];
      envoyBeforeEcho = await startShippedEnvoy({
        directory: deployment.directory,
        port: echoPort,
        socket: echo.url,
      });
      await deployment.register({
        client_id: 'victim',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=victim',
      });
    });
    afterAll(async () => {
      await deployment?.stop();
      await envoyBeforeEcho?.stop();
      await echo?.stop();
    });

    const identities: [string, () => MintedCertificate][] = [
      ['of the right CA', () => deployment.ca.issue({ subject })],
      ['of another CA', () => createTestCa().issue({ subject })],
      ['that is self-signed', () => selfSigned({ subject })],
    ];
    test.each(identities)('a certificate %s gets no token, and the log names the missing setting', async (_, mint) => {
      const identity = mint();
      const hash = createHash('sha256').update(identity.der).digest('hex');
      const echoed = await deployment.send({}, { identity, port: echoPort });
      const header = `Hash=${hash};Cert="${encodeURIComponent(identity.pem)}"`;
      expect(echoedValues(echoed, 'x-forwarded-client-cert')).toEqual([header]);
      const { response, event } = await deployment.requestToken('victim', { identity });
      expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
      expect(event.reason).toContain('COUNTERSIGN_CLIENT_CA_FILE is not set');
    });
  },
);
