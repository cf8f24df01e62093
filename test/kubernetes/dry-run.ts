import type { ChartValues, HelmVersion } from '../chart/helm.ts';
import { renderChart } from '../chart/helm.ts';
import type { Cluster } from './cluster.ts';

/** The namespace of the objects that `renderChart` renders. It must exist. */
export const renderedNamespace = 'auth';

/**
 * Renders the chart, and lets the API server validate and admit all objects without creating them. A warning, such as that a
 * Deployment violates the level of its namespace, is an error.
 *
 * @returns the kinds of the objects
 * @throws {Error} with the objections of the API server
 */
export async function dryRun(cluster: Cluster, version: HelmVersion, values: ChartValues): Promise<readonly string[]> {
  const rendered = await renderChart(version, values);
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
  return manifests.map(({ kind }) => kind);
}

/** What the values of the matrix name. */
const runtimeClass = {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'gvisor' },
  handler: 'runc',
};
