import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startAuthorizationServer } from '../support/authorization-server.ts';
import { describeWith } from '../support/describe-with.ts';
import { examine, runDoctor, startPatientOnce } from '../support/doctor.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describeWith(['nginx', 'redis-server'], 'the doctor, with two replicas', () => {
  test('asks both, and says so when it was told of one', async () => {
    const folder = temporaryDirectory();
    const socket = `unix:${join(folder, 'countersign.sock')}`;
    const patient = await startPatientOnce({ replace: [['keepalive 32;', `server ${socket}; keepalive 32;`]] });
    const env = {
      COUNTERSIGN_ISSUER: patient.issuer,
      COUNTERSIGN_MTLS_URL: patient.mtlsUrl,
      COUNTERSIGN_CLIENT_CA_FILE: join(patient.directory, 'client-ca.pem'),
    };
    const second = await startAuthorizationServer({ directory: folder, env });
    onTestFinished(() => second.stop());
    const { url } = await second.countersign.waitForEvent(({ event }) => event === 'operations_listening');
    const both = await examine(patient, { operations: [patient.operations, String(url)] });
    expect([both.code, both.stderr]).toEqual([0, '']);
    expect(both.examination.forgeries.map(({ outcome }) => outcome)).not.toContain('not_seen');
    expect(second.countersign.auditEvents().length).toBeGreaterThan(50);
    const one = await examine(patient);
    const unseen = one.examination.forgeries.filter(({ outcome }) => outcome === 'not_seen');
    // Round robin: most come to the one that is asked when they are sent again.
    expect(unseen.length).toBeLessThan(one.examination.forgeries.length / 4);
    expect(one.code).toBe(unseen.length === 0 ? 0 : 1);
  });

  test('sends nothing where they do not believe the same', async () => {
    const patient = await startPatientOnce();
    const second = await startAuthorizationServer({ env: { COUNTERSIGN_TERMINATOR: 'rfc9440' } });
    onTestFinished(() => second.stop());
    const { url } = await second.countersign.waitForEvent(({ event }) => event === 'operations_listening');
    const operations = [patient.operations, String(url)];
    const { code, examination } = await examine(patient, { operations });
    expect([code, examination.forgeries, examination.notes, examination.problems]).toEqual([
      2,
      [],
      [],
      [expect.stringMatching(/^the replicas are configured differently, in issuer, .*terminator.* nothing was sent/)],
    ]);
    expect(patient.countersign.auditEvents()).toEqual([]);
    const { stdout } = await runDoctor(patient, { operations });
    expect(stdout).toMatch(/^fault the replicas .*\nWrong: no forgery was sent; 1 to fix, as said above\.\n$/);
  });
});
