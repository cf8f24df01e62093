import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ForgeryReport, ProbeReport } from '../../src/doctor/probe/probe-report.ts';
import type { MintedCertificate } from './certificates.ts';
import { type FinishedCommand, runCountersign } from './countersign.ts';
import { type Deployment, type DeploymentOptions, startDeployment } from './deployment.ts';

/** A deployment to run `countersign doctor` against. */
export interface ProbedDeployment extends Deployment {
  /** URL of the operations listener. */
  readonly operations: string;
  /** A client certificate issued by the CA that the terminator verifies against. */
  readonly client: MintedCertificate;
}

type Environment = Readonly<Record<string, string>>;

/** Options of the command line; undefined removes a default one. */
export type DoctorArguments = Readonly<Record<string, string | readonly string[] | undefined>>;

export const withoutCertificate: DoctorArguments = { cert: undefined, key: undefined };

export async function startProbedDeployment(options: DeploymentOptions = {}): Promise<ProbedDeployment> {
  const deployment = await startDeployment(options);
  const { url } = await deployment.countersign.waitForEvent(({ event }) => event === 'operations_listening');
  const client = deployment.ca.issue({ subject: [['CN', 'billing']] });
  return { ...deployment, operations: String(url), client };
}

/** Starts one that stops at the end of the test that calls this. */
export async function startProbedDeploymentForTest(options: DeploymentOptions = {}): Promise<ProbedDeployment> {
  const deployment = await startProbedDeployment(options);
  onTestFinished(async () => void (await deployment.stop()));
  return deployment;
}

/** Runs the doctor with the client's certificate. */
export function runDoctor(
  deployment: ProbedDeployment,
  more: DoctorArguments = {},
  env: Environment = {},
): Promise<FinishedCommand> {
  const { cert, key } = deployment.client.writeTo(deployment.directory, 'billing');
  const defaults = {
    url: deployment.issuer,
    cert,
    key,
    cacert: join(deployment.directory, 'server-ca.pem'),
    'connect-to': `127.0.0.1:${deployment.port}`,
    operations: deployment.operations,
    // Unused, so that other programs of this machine are not probed.
    'http-port': '1',
  };
  const args = Object.entries({ ...defaults, ...more }).flatMap(([name, values]) =>
    [values ?? []].flat().flatMap((value) => [`--${name}`, value]),
  );
  return runCountersign(['doctor', ...args], { env });
}

/** Runs the doctor with JSON output, and requires that every problem has a fix. */
export async function runProbe(deployment: ProbedDeployment, more: DoctorArguments = {}) {
  const finished = await runDoctor(deployment, { ...more, output: 'json' });
  if (finished.stdout === '') throw new Error(finished.stderr);
  const report: ProbeReport = JSON.parse(finished.stdout);
  const { problems } = report;
  if (!problems.every((problem) => problem.includes('. Fix: ')))
    throw new Error(`a problem without a fix: ${problems.join('\n')}`);
  return { ...finished, report };
}

export function acceptedForgeries({ forgeries }: ProbeReport): ForgeryReport[] {
  return forgeries.filter(({ outcome }) => outcome === 'accepted');
}
