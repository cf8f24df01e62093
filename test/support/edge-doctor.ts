import { onTestFinished } from 'vitest';
import type { EdgeReport } from '../../src/doctor/probe/edge/edge-report.ts';
import { type FinishedCommand, runCountersign } from './countersign.ts';
import type { DoctorArguments } from './doctor.ts';
import { type EdgeDeployment, startEdgeDeployment } from './edge-deployment.ts';
import { apiHost, type EdgeProxyName, type EdgeProxyOptions } from './edge-proxies.ts';
import { freePort } from './free-port.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A deployment whose API is the operations listener of Countersign. */
interface ProbedEdge {
  readonly deployment: EdgeDeployment;
  readonly operations: string;
}

/** Starts one that stops at the end of the test that calls this. */
export async function startProbedEdge(
  proxy: EdgeProxyName,
  replace: EdgeProxyOptions['replace'] = [],
): Promise<ProbedEdge> {
  const port = await freePort();
  const operations = `http://127.0.0.1:${port}`;
  const env = { COUNTERSIGN_OPERATIONS_LISTEN: `127.0.0.1:${port}` };
  const deployment = await startEdgeDeployment({ proxy, replace, env, api: operations });
  onTestFinished(() => deployment.stop());
  return { deployment, operations };
}

/** Runs the doctor with the certificate of a client at `/orders/`. */
export function runEdgeDoctor(
  { deployment, operations }: ProbedEdge,
  more: DoctorArguments = {},
): Promise<FinishedCommand> {
  const directory = temporaryDirectory();
  const { cert, key } = deployment.certificateOf('alpha').writeTo(directory, 'alpha');
  const defaults = {
    url: `https://${apiHost}/orders/`,
    cert,
    key,
    cacert: deployment.serverCa.writeTo(directory, 'server-ca').cert,
    'connect-to': `127.0.0.1:${deployment.port}`,
    operations,
  };
  const args = Object.entries({ ...defaults, ...more }).flatMap(([name, values]) =>
    [values ?? []].flat().flatMap((value) => [`--${name}`, value]),
  );
  return runCountersign(['doctor', '--edge', ...args]);
}

/** Runs the doctor with JSON output, and requires that every problem has a fix. */
export async function probeEdgeDeployment(probed: ProbedEdge, more: DoctorArguments = {}) {
  const finished = await runEdgeDoctor(probed, { ...more, output: 'json' });
  if (finished.stdout === '') throw new Error(finished.stderr);
  const report: EdgeReport = JSON.parse(finished.stdout);
  const { problems = [] } = report;
  if (!problems.every((problem) => problem.includes('. Fix: ')))
    throw new Error(`a problem without a fix: ${problems.join('\n')}`);
  return { ...finished, report };
}
