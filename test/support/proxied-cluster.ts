import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { freePort } from './free-port.ts';
import { programPath } from './program-path.ts';
import { startRedis } from './redis-server.ts';
import { sendRedisCommand } from './send-redis-command.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface ProxiedCluster {
  /** The address that the node announces at first. */
  readonly proxy: FaultProxy;
  /** Makes the node announce the address of a new proxy, which is returned. */
  readonly move: () => Promise<FaultProxy>;
}

/** Starts a Cluster of one node behind a proxy, whose address the node announces, until the test ends. */
export async function startProxiedCluster(): Promise<ProxiedCluster> {
  const [port, busPort, directory] = [await freePort(), await freePort(), temporaryDirectory()];
  const proxy = await proxyOf(port);
  const args = [
    ['--cluster-enabled', 'yes'],
    ['--cluster-config-file', join(directory, 'nodes.conf')],
    ['--cluster-port', `${busPort}`],
    ['--cluster-announce-ip', '127.0.0.1'],
    ['--cluster-announce-port', `${proxy.port}`],
  ].flat();
  const server = await startRedis({ program: programPath('redis-server'), directory, port, args });
  onTestFinished(async () => void (await server.stop()));
  await sendRedisCommand(port, ['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  await eventually(
    async () => String(await sendRedisCommand(port, ['CLUSTER', 'INFO'])).includes('cluster_state:ok'),
    () => 'the cluster is not ready',
  );
  const move = async () => {
    const next = await proxyOf(port);
    await sendRedisCommand(port, ['CONFIG', 'SET', 'cluster-announce-port', `${next.port}`]);
    return next;
  };
  return { proxy, move };
}

async function proxyOf(port: number): Promise<FaultProxy> {
  const proxy = await startFaultProxy({ target: { port } });
  onTestFinished(() => proxy.stop());
  return proxy;
}
