import { eventually } from '../support/eventually.ts';
import type { Cluster } from './cluster.ts';
import { PATIENCE, type Pod, podsOf } from './release.ts';
import { replicas } from './scenario.ts';

/** Sends a signal to the server in a Pod, from its node: neither Kubernetes nor the server expects it. */
export async function signalReplica(cluster: Cluster, pod: Pod, signal: 'KILL' | 'STOP'): Promise<void> {
  await cluster.run(['kill', `-${signal}`, await processOf(cluster, pod)]);
}

/** Lowers the memory limit of the container to what the server uses until the kernel ends it, as if it leaked memory. */
export async function exhaustMemory(cluster: Cluster, pod: Pod): Promise<void> {
  const cgroups = await cluster.run(['cat', `/proc/${await processOf(cluster, pod)}/cgroup`]);
  const folder = `/sys/fs/cgroup/memory${/^\d+:memory:(.*)$/m.exec(cgroups)?.[1]}`;
  const script = `
    while used=$(cat ${folder}/memory.usage_in_bytes); do
      echo "$used" > ${folder}/memory.limit_in_bytes || true
      sleep 0.05
    done`;
  // Its own cgroup ends with a container.
  await cluster.run(['timeout', String(PATIENCE / 1000), 'bash', '-c', script]);
}

/** Waits until Kubernetes has restarted the container of a Pod, and it is ready again. */
export async function untilRestarted(cluster: Cluster, namespace: string, pod: Pod): Promise<Pod> {
  let now: Pod | undefined;
  await eventually(
    async () => {
      now = (await podsOf(cluster, namespace, replicas)).find(({ uid }) => uid === pod.uid);
      return now?.ready === true && now.restarts > pod.restarts;
    },
    () => `${pod.name} is not restarted: ${JSON.stringify(now)}`,
    PATIENCE,
  );
  return now ?? pod;
}

/** The process of the server in a Pod, in the PID namespace of the cluster. */
async function processOf(cluster: Cluster, { name, uid }: Pod): Promise<string> {
  const found = await cluster.run(['pgrep', '--full', '/app/dist/countersign.js serve']);
  for (const pid of found.trim().split('\n')) {
    // cgroups of kubelet are named by the UID of the Pod.
    const cgroups = await cluster.run(['cat', `/proc/${pid}/cgroup`]);
    if (cgroups.includes(uid)) return pid;
  }
  throw new Error(`${name}: no process of a server`);
}
