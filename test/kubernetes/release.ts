import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { Cluster } from './cluster.ts';
import type { Manifest } from './pods.ts';

/** Milliseconds for what takes seconds: Pods start, and nodes notice changes, much later on a busy machine. */
export const PATIENCE = 300_000;
const WAIT = `${PATIENCE / 1000}s`;

export type Values = Readonly<Record<string, unknown>>;

/** A release of the chart. */
export interface Release {
  /** Installs or upgrades it, and waits until its Pods are ready. */
  readonly upgrade: (values: Values) => Promise<string>;
  readonly rollback: (revision: number) => Promise<string>;
  readonly test: () => Promise<string>;
}

/** @param helm the program */
export function releaseOf(cluster: Cluster, helm: string, namespace: string, name: string): Release {
  const chart = join(repositoryRoot, 'deploy/helm/countersign');
  const run = (args: readonly string[]) => cluster.run([helm, '--namespace', namespace, ...args]);
  const upgrade: Release['upgrade'] = (values) => {
    const file = join(temporaryDirectory(), 'values.json');
    writeFileSync(file, JSON.stringify(values));
    return run(['upgrade', '--install', name, chart, '--values', file, '--wait', '--timeout', WAIT]);
  };
  return {
    upgrade,
    rollback: (revision) => run(['rollback', name, String(revision), '--wait', '--timeout', WAIT]),
    test: () => run(['test', name, '--logs', '--timeout', WAIT]),
  };
}

/** `kubectl apply` of all objects. A warning, such as that a Pod would not be admitted, is an error. */
export async function apply(cluster: Cluster, manifests: readonly Manifest[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: manifests };
  const command = ['kubectl', 'apply', '--warnings-as-errors', '--filename', '-'];
  await cluster.run(command, { input: JSON.stringify(list) });
}

/** Waits until all replicas of a Deployment or StatefulSet are ready, such as `deployment/nginx`. */
export function rolledOut(cluster: Cluster, namespace: string, workload: string): Promise<string> {
  const args = ['--namespace', namespace, 'rollout', 'status', workload, '--timeout', WAIT];
  return cluster.run(['kubectl', ...args]);
}

/** A Pod that is neither finished nor deleted. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly address: string;
  readonly ready: boolean;
  /** How often its first container was restarted, and why it ended the last time, such as `OOMKilled`. */
  readonly restarts: number;
  readonly lastEnd: string;
}

/** The replicas of a release, or other Pods. */
export async function podsOf(cluster: Cluster, namespace: string, selector: string): Promise<Pod[]> {
  const args = ['--namespace', namespace, 'get', 'pods', '--selector', selector, '--output', 'json'];
  const { items } = JSON.parse(await cluster.run(['kubectl', ...args]));
  return items
    .filter((item: PodObject) => item.metadata.deletionTimestamp === undefined)
    .map(({ metadata, spec, status }: PodObject) => {
      const [first] = status.containerStatuses ?? [];
      return {
        name: metadata.name,
        uid: metadata.uid,
        node: spec.nodeName ?? '',
        address: status.podIP ?? '',
        ready: first?.ready ?? false,
        restarts: first?.restartCount ?? 0,
        lastEnd: first?.lastState?.terminated?.reason ?? '',
      };
    });
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly restartCount: number;
      readonly lastState?: { readonly terminated?: { readonly reason?: string } };
    }[];
  };
}
