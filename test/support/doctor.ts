import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Examination, ForgeryReport } from '../../src/doctor/probe/examination.ts';
import type { MintedCertificate } from './certificates.ts';
import { type FinishedCommand, runCountersign } from './countersign.ts';
import { type Deployment, type DeploymentOptions, startDeployment } from './deployment.ts';

/** A deployment for `countersign doctor` to examine. */
export interface Patient extends Deployment {
  /** The operations listener. */
  readonly operations: string;
  /** A client's certificate of the CA that the terminator verifies against. */
  readonly client: MintedCertificate;
}

type Environment = Readonly<Record<string, string>>;

/** Options of the command line; undefined takes a usual one away. */
export type DoctorArguments = Readonly<Record<string, string | readonly string[] | undefined>>;

export const withoutCertificate: DoctorArguments = { cert: undefined, key: undefined };

export async function startPatient(options: DeploymentOptions = {}): Promise<Patient> {
  const deployment = await startDeployment(options);
  const { url } = await deployment.countersign.waitForEvent(({ event }) => event === 'operations_listening');
  const client = deployment.ca.issue({ subject: [['CN', 'patient']] });
  return { ...deployment, operations: String(url), client };
}

/** The same, until the end of the test that calls it. */
export async function startPatientOnce(options: DeploymentOptions = {}): Promise<Patient> {
  const patient = await startPatient(options);
  onTestFinished(async () => void (await patient.stop()));
  return patient;
}

/** Runs the doctor with the client's certificate. */
export function runDoctor(
  patient: Patient,
  more: DoctorArguments = {},
  env: Environment = {},
): Promise<FinishedCommand> {
  const { cert, key } = patient.client.writeTo(patient.directory, 'patient');
  const usual = {
    url: patient.issuer,
    cert,
    key,
    cacert: join(patient.directory, 'server-ca.pem'),
    'connect-to': `127.0.0.1:${patient.port}`,
    operations: patient.operations,
    // Nobody's: what else runs on this machine is not looked at.
    'http-port': '1',
  };
  const args = Object.entries({ ...usual, ...more }).flatMap(([name, values]) =>
    [values ?? []].flat().flatMap((value) => [`--${name}`, value]),
  );
  return runCountersign(['doctor', ...args], { env });
}

/** The same, as JSON. */
export async function examine(patient: Patient, more: DoctorArguments = {}) {
  const finished = await runDoctor(patient, { ...more, output: 'json' });
  if (finished.stdout === '') throw new Error(finished.stderr);
  const examination: Examination = JSON.parse(finished.stdout);
  const { problems } = examination;
  if (!problems.every((fault) => fault.includes('. Mend: ')))
    throw new Error(`a fault without its mend: ${problems.join('\n')}`);
  return { ...finished, examination };
}

/** The forgeries that got through. */
export function passedIn({ forgeries }: Examination): ForgeryReport[] {
  return forgeries.filter(({ outcome }) => outcome === 'got_through');
}
