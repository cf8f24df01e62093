import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import {
  examine,
  type Patient,
  runDoctor,
  startPatient,
  startPatientOnce,
  withoutCertificate,
} from '../support/doctor.ts';
import { type TerminatorName, terminators } from '../support/terminators.ts';

// Some hundred handshakes on a machine that may be busy.

describeWith(['nginx', 'redis-server'], 'the doctor, nginx as shipped', () => {
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient({ replace: [[' ssl default_server', ' ssl http2 default_server']] });
  });
  afterAll(() => patient?.stop());

  test('makes a certificate where none is given, and shows that its chain is not verified', async () => {
    const { code, stdout } = await runDoctor(patient, { ...withoutCertificate, url: patient.mtlsUrl });
    expect(code).toBe(0);
    expect(stdout).toContain('asked for; shown: one made for this run');
    expect(stdout).toContain('CN=countersign-doctor; its chain is not verified: x-ssl-client-verify is "FAILED:');
    expect(stdout).toContain('Sound: none of');
  });

  test('notes that a self-signed client is not one for tls_client_auth', async () => {
    const { code, examination } = await examine({ ...patient, client: selfSigned() });
    expect([code, examination.notes]).toEqual([
      0,
      [expect.stringContaining('self_signed_tls_client_auth, and not tls_client_auth')],
    ]);
  });

  test('trusts the authorities of this machine', async () => {
    const env = { SSL_CERT_FILE: join(patient.directory, 'server-ca.pem') };
    const { code, stderr } = await runDoctor(patient, { cacert: undefined }, env);
    expect([code, stderr]).toEqual([0, '']);
  });

  test('finds the operations listener without a scheme', async () => {
    const { host } = new URL(patient.operations);
    expect((await runDoctor(patient, { operations: host })).code).toBe(0);
  });
});

/** Safe: the table is closed, so its keys are the names. */
for (const name of (Object.keys(terminators) as TerminatorName[]).filter((name) => name !== 'nginx')) {
  describeWith([terminators[name].program, 'redis-server'], `the doctor, ${name} as shipped`, () => {
    test('finds it sound', async () => {
      const { code, examination } = await examine(await startPatientOnce({ terminator: name }));
      expect([code, examination.problems, examination.conclusion]).toEqual([0, [], 'sound']);
      expect(examination.forgeries.length).toBeGreaterThan(100);
    });
  });
}
