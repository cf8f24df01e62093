import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { EdgeReport } from '../../src/doctor/probe/edge/edge-report.ts';
import { type FinishedCommand, runCountersign } from './countersign.ts';
import type { DoctorArguments } from './doctor.ts';
import { type EdgeDeployment, type EdgeDeploymentOptions, startEdgeDeployment } from './edge-deployment.ts';
import { apiHost, type EdgeProxyName, type EdgeProxyOptions } from './edge-proxies.ts';
import { freePort } from './free-port.ts';
import { repositoryRoot } from './repository-root.ts';
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
  more: Pick<EdgeDeploymentOptions, 'env' | 'edge'> = {},
): Promise<ProbedEdge> {
  const operations = `http://127.0.0.1:${await freePort()}`;
  return start(operations, { ...more, proxy, replace, api: operations });
}

/** As `startProbedEdge`, but only the test route that docs/doctor.md describes has the operations listener as its upstream. */
export async function startDocumentedTestRoute(proxy: 'nginx' | 'envoy'): Promise<ProbedEdge> {
  const address = `127.0.0.1:${await freePort()}`;
  const documentation = readFileSync(join(repositoryRoot, 'docs/doctor.md'), 'utf8');
  const block = (start: string) => documentation.split('```').find((text) => text.includes(start)) ?? '';
  const blockOf = (language: string, start: string) => block(start).replace(`${language}\n`, '');
  const routes = {
    nginx: [[NGINX_ORDERS, blockOf('nginx', 'location /countersign-doctor/').replace('127.0.0.1:9090', address)]],
    envoy: [
      [ENVOY_ORDERS, blockOf('yaml', 'prefix: /countersign-doctor/')],
      [
        ENVOY_API,
        blockOf('yaml', '  - name: countersign-doctor').replace('port_value: 9090', `port_value: ${address.slice(10)}`),
      ],
    ],
  } as const;
  const replace = routes[proxy].map(([before, inserted]) => [before, `\n${inserted}${before}`] as const);
  return start(`http://${address}`, { proxy, replace });
}

// edge-protect.conf has it as well, in a comment.
const NGINX_ORDERS = '\n    location /orders/ {\n';
const ENVOY_ORDERS = '              - match: { prefix: /orders/ }\n';
const ENVOY_API = '  - name: api\n    type: STRICT_DNS\n';

async function start(operations: string, options: EdgeDeploymentOptions): Promise<ProbedEdge> {
  const env = { ...options.env, COUNTERSIGN_OPERATIONS_LISTEN: new URL(operations).host };
  const deployment = await startEdgeDeployment({ ...options, env });
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
  if (report.baseline && !problems.every((problem) => problem.includes('. Fix: ')))
    throw new Error(`a problem without a fix: ${problems.join('\n')}`);
  return { ...finished, report };
}
