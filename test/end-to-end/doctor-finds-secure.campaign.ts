import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import {
  type ProbedDeployment,
  runDoctor,
  runProbe,
  startProbedDeployment,
  startProbedDeploymentForTest,
  withoutCertificate,
} from '../support/doctor.ts';
import { filesWithIdentityServerPaths, uncommentIdentityServerPaths } from '../support/identityserver-paths.ts';
import { type TerminatorName, terminators } from '../support/terminators.ts';

describeWith(['nginx', 'redis-server'], 'countersign doctor with nginx as shipped', () => {
  let deployment: ProbedDeployment;
  beforeAll(async () => {
    deployment = await startProbedDeployment();
  });
  afterAll(() => deployment?.stop());

  test('generates a certificate when none is given and prints that its chain is not verified', async () => {
    const { code, stdout } = await runDoctor(deployment, { ...withoutCertificate, url: deployment.mtlsUrl });
    expect(code).toBe(0);
    expect(stdout).toContain('requested; presented: one generated for this run');
    expect(stdout).toContain('CN=countersign-doctor; its chain is not verified: x-ssl-client-verify is "FAILED:');
    expect(stdout).toContain('Secure: none of');
  });

  test('notes that a self-signed certificate does not work with tls_client_auth', async () => {
    const { code, report } = await runProbe({ ...deployment, client: selfSigned() });
    expect([code, report.notes]).toEqual([
      0,
      [expect.stringContaining('self_signed_tls_client_auth, not with tls_client_auth')],
    ]);
  });

  test('trusts the CAs of this machine', async () => {
    const env = { SSL_CERT_FILE: join(deployment.directory, 'server-ca.pem') };
    const { code, stderr } = await runDoctor(deployment, { cacert: undefined }, env);
    expect([code, stderr]).toEqual([0, '']);
  });

  test('accepts an operations listener without a scheme', async () => {
    const { host } = new URL(deployment.operations);
    expect((await runDoctor(deployment, { operations: host })).code).toBe(0);
  });
});

/** Safe: the table is closed, so its keys are the names. */
for (const name of (Object.keys(terminators) as TerminatorName[]).filter((name) => name !== 'nginx')) {
  describeWith([terminators[name].program, 'redis-server'], `countersign doctor with ${name} as shipped`, () => {
    test('concludes secure', async () => {
      const { code, report } = await runProbe(await startProbedDeploymentForTest({ terminator: name }));
      expect([code, report.problems, report.conclusion]).toEqual([0, [], 'secure']);
      expect(report.forgeries.length).toBeGreaterThan(100);
    });
  });
}

for (const terminator of ['nginx', 'envoy'] as const) {
  describeWith(
    [terminators[terminator].program, 'redis-server'],
    `countersign doctor at /connect/mtls of ${terminator}`,
    () => {
      test('concludes secure', async () => {
        const replace = uncommentIdentityServerPaths(filesWithIdentityServerPaths[terminator]);
        const deployment = await startProbedDeploymentForTest({ terminator, replace, mtlsPath: '/connect/mtls' });
        const { code, report } = await runProbe(deployment);
        expect([code, report.problems, report.conclusion]).toEqual([0, [], 'secure']);
        expect(JSON.stringify(report)).toContain('/connect/mtls/token');
      });
    },
  );
}
