import { type ChartValues, chartFolder, type HelmVersion, helmOnChart } from '../chart/helm.ts';
import type { Manifest } from '../chart/manifest.ts';
import type { Cluster } from './cluster.ts';

/** The namespace of the objects that `renderChart` renders. It must exist. */
export const renderedNamespace = 'auth';

/**
 * Lets the API server validate and admit all objects without creating them. A warning, such as that a Deployment violates
 * the level of its namespace, is an error.
 *
 * @throws {Error} with the objections of the API server
 */
export async function dryRun(cluster: Cluster, rendered: readonly Manifest[]): Promise<void> {
  // The cluster does not have the kinds of the Prometheus operator.
  const manifests = rendered.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.coreos.com/'));
  const apply = async (items: readonly object[], ...options: string[]) => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const command = ['kubectl', 'apply', '--warnings-as-errors', '--namespace', renderedNamespace];
    await cluster.run([...command, ...options, '--filename', '-'], { input: list });
  };
  // A Pod is admitted only if its account and its runtime class exist.
  const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount');
  await apply([...accounts, runtimeClass]);
  await apply(manifests, '--dry-run=server');
}

/**
 * `helm upgrade --install --dry-run=server`: Helm renders the chart for the kinds of this cluster, and validates all objects
 * against the schemas of the API server.
 *
 * @returns its output, with the objects
 * @throws {Error} with the message of Helm
 */
export function dryRunByHelm(cluster: Cluster, version: HelmVersion, values: ChartValues): Promise<string> {
  // In a namespace of its own, where no object exists that belongs to no release.
  const options = ['--install', '--dry-run=server', '--namespace', 'helm'];
  const { command, input } = helmOnChart(version, ['upgrade', 'auth', chartFolder, ...options], values);
  return cluster.run(command, { input });
}

/** What the values of the matrix name. */
const runtimeClass = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'gvisor' },
  handler: 'runc',
};
