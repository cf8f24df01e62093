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

describeWith(['apache2', 'redis-server'], 'finding 2: Apache deletes what a client names in Connection', () => {
  let wrong: Deployment;
  let shipped: Deployment;
  let echo: HeaderEcho;
  let apacheBeforeEcho: RunningTerminator;
  let echoPort: number;
  beforeAll(async () => {
    wrong = await startDeployment({ terminator: 'apache', replace });
    shipped = await startDeployment({ terminator: 'apache' });
    [echo, echoPort] = [await startHeaderEcho(), await freePort()];
    apacheBeforeEcho = await startShippedApache({
      directory: wrong.directory,
      port: echoPort,
      socket: echo.url,
      replace,
    });
    const byName = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=victim' };
    for (const { register } of [wrong, shipped]) await register({ client_id: 'victim', ...byName });
  });
  afterAll(async () => {
    await wrong?.stop();
    await shipped?.stop();
    await apacheBeforeEcho?.stop();
    await echo?.stop();
  });

  test('the verdict goes, and the certificate stays', async () => {
    const named = request('X-SSL-Client-Verify');
    const echoed = await wrong.send(named, { identity: impostor, port: echoPort });
    expect(echoedValues(echoed, 'X-SSL-Client-Verify')).toEqual([]);
    expect(echoedValues(echoed, 'X-SSL-Client-Cert')).toHaveLength(1);
  });

  const identities: [string, () => MintedCertificate][] = [
    ['a self-signed certificate of the same name', () => impostor],
    ['the genuine one', () => wrong.ca.issue({ subject: [['CN', 'victim']] })],
  ];
  test.each(identities)('an absent verdict is a negative one, for %s', async (_, mint) => {
    const sent = () => wrong.send(request('X-SSL-Client-Verify'), { identity: mint() });
    const { response, event } = await wrong.decide(sent);
    expect([response.status, event.reason]).toEqual([400, expect.stringContaining('x-ssl-client-verify is absent')]);
  });

  test('without the certificate, the verdict is said to be about nothing', async () => {
    const identity = wrong.ca.issue({ subject: [['CN', 'victim']] });
    const { response, event } = await wrong.decide(() => wrong.send(request('X-SSL-Client-Cert'), { identity }));
    expect([response.status, event.reason]).toEqual([400, expect.stringContaining('contains no certificate')]);
  });

  test('as shipped, nothing goes', async () => {
    const identity = shipped.ca.issue({ subject: [['CN', 'victim']] });
    const named = request('X-SSL-Client-Verify, X-SSL-Client-Cert');
    const { response } = await shipped.decide(() => shipped.send(named, { identity }));
    expect(response.status).toBe(200);
    const refused = await shipped.decide(() => shipped.send(named, { identity: impostor }));
    expect(refused.event.reason).toMatch(/x-ssl-client-verify is "(GENEROUS|FAILED)/);
  });
});
