import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startAuthorizationServer } from '../support/authorization-server.ts';
import { describeWith } from '../support/describe-with.ts';
import { runDoctor, runProbe, startProbedDeploymentForTest } from '../support/doctor.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describeWith(['nginx', 'redis-server'], 'countersign doctor with two replicas', () => {
  test('queries both, and reports unobserved forgeries when only one is named', async () => {
    const folder = temporaryDirectory();
    const socket = `unix:${join(folder, 'countersign.sock')}`;
    const deployment = await startProbedDeploymentForTest({
      replace: [['keepalive 32;', `server ${socket}; keepalive 32;`]],
    });
    const env = {
      COUNTERSIGN_ISSUER: deployment.issuer,
      COUNTERSIGN_MTLS_URL: deployment.mtlsUrl,
      COUNTERSIGN_CLIENT_CA_FILE: join(deployment.directory, 'client-ca.pem'),
    };
    const second = await startAuthorizationServer({ directory: folder, env });
    onTestFinished(() => second.stop());
    const { url } = await second.countersign.waitForEvent(({ event }) => event === 'operations_listening');
    const both = await runProbe(deployment, { operations: [deployment.operations, String(url)] });
    expect([both.code, both.stderr]).toEqual([0, '']);
    expect(both.report.forgeries.map(({ outcome }) => outcome)).not.toContain('not_observed');
    expect(second.countersign.auditEvents().length).toBeGreaterThan(50);
    const one = await runProbe(deployment);
    const unseen = one.report.forgeries.filter(({ outcome }) => outcome === 'not_observed');
    // Round robin: repeated requests reach the queried replica sooner or later.
    expect(unseen.length).toBeLessThan(one.report.forgeries.length / 4);
    expect(one.code).toBe(unseen.length === 0 ? 0 : 1);
  });

  test('sends nothing when their configurations differ', async () => {
    const deployment = await startProbedDeploymentForTest();
    const second = await startAuthorizationServer({ env: { COUNTERSIGN_TERMINATOR: 'rfc9440' } });
    onTestFinished(() => second.stop());
    const { url } = await second.countersign.waitForEvent(({ event }) => event === 'operations_listening');
    const operations = [deployment.operations, String(url)];
    const { code, report } = await runProbe(deployment, { operations });
    expect([code, report.forgeries, report.notes, report.problems]).toEqual([
      3,
      [],
      [],
      [expect.stringMatching(/^the replicas are configured differently \(issuer, .*terminator.* nothing was sent/)],
    ]);
    expect(deployment.countersign.auditEvents()).toEqual([]);
    const { stdout } = await runDoctor(deployment, { operations });
    expect(stdout).toMatch(/^error the replicas .*\nVulnerable: no forgery was sent; 1 problem to fix, see above\.\n$/);
  });
});
