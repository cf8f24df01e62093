import { afterAll, beforeAll, expect, test } from 'vitest';
import { startShippedApache } from '../../support/apache.ts';
import { type MintedCertificate, selfSigned } from '../../support/certificates.ts';
import { type Deployment, formOf, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { freePort } from '../../support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../../support/header-echo.ts';
import type { RunningTerminator } from '../../support/shipped-terminator.ts';

const replace = [['RequestHeader unset Connection\n', '']] as const;
const impostor = selfSigned({ subject: [['CN', 'victim']] });
const request = (connection: string) => ({
  lines: [`Connection: close, ${connection}`, 'Content-Type: application/x-www-form-urlencoded'],
  body: formOf('victim'),
});

describeWith(
  ['apache2', 'redis-server'],
  'finding 2: Apache deletes the headers that a client names in Connection',
  () => {
    let misconfigured: Deployment;
    let shipped: Deployment;
    let echo: HeaderEcho;
    let apacheBeforeEcho: RunningTerminator;
    let echoPort: number;
    beforeAll(async () => {
      misconfigured = await startDeployment({ terminator: 'apache', replace });
      shipped = await startDeployment({ terminator: 'apache' });
      [echo, echoPort] = [await startHeaderEcho(), await freePort()];
      apacheBeforeEcho = await startShippedApache({
        directory: misconfigured.directory,
        port: echoPort,
        socket: echo.url,
        replace,
      });
      const byName = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=victim' };
      for (const { register } of [misconfigured, shipped]) await register({ client_id: 'victim', ...byName });
    });
    afterAll(async () => {
      await misconfigured?.stop();
      await shipped?.stop();
      await apacheBeforeEcho?.stop();
      await echo?.stop();
    });

    test('and then forwards the certificate without its verification header', async () => {
      const named = request('X-SSL-Client-Verify');
      const echoed = await misconfigured.send(named, { identity: impostor, port: echoPort });
      expect(echoedValues(echoed, 'X-SSL-Client-Verify')).toEqual([]);
      expect(echoedValues(echoed, 'X-SSL-Client-Cert')).toHaveLength(1);
    });

    const identities: [string, () => MintedCertificate][] = [
      ['a self-signed certificate of the same name', () => impostor],
      ['the genuine certificate', () => misconfigured.ca.issue({ subject: [['CN', 'victim']] })],
    ];
    test.each(identities)('and an absent verification header counts as negative for %s', async (_, mint) => {
      const sent = () => misconfigured.send(request('X-SSL-Client-Verify'), { identity: mint() });
      const { response, event } = await misconfigured.decide(sent);
      expect([response.status, event.reason]).toEqual([400, expect.stringContaining('x-ssl-client-verify is absent')]);
    });

    test('and a verification header without a certificate is rejected', async () => {
      const identity = misconfigured.ca.issue({ subject: [['CN', 'victim']] });
      const { response, event } = await misconfigured.decide(() =>
        misconfigured.send(request('X-SSL-Client-Cert'), { identity }),
      );
      expect([response.status, event.reason]).toEqual([400, expect.stringContaining('contains no certificate')]);
    });

    test('unless the shipped configuration is used', async () => {
      const identity = shipped.ca.issue({ subject: [['CN', 'victim']] });
      const named = request('X-SSL-Client-Verify, X-SSL-Client-Cert');
      const { response } = await shipped.decide(() => shipped.send(named, { identity }));
      expect(response.status).toBe(200);
      const rejected = await shipped.decide(() => shipped.send(named, { identity: impostor }));
      expect(rejected.event.reason).toMatch(/x-ssl-client-verify is "(GENEROUS|FAILED)/);
    });
  },
);
