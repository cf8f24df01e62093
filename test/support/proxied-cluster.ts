import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { freePort } from './free-port.ts';
import { programPath } from './program-path.ts';
import { type RedisOptions, type RunningRedis, startRedis } from './redis-server.ts';
import { sendRedisCommand } from './send-redis-command.ts';
import { orStopAll } from './start-all.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface ProxiedCluster {
  /** The address that the node announces at first. */
  readonly proxy: FaultProxy;
  /** Makes the node announce the address of a new proxy, which is returned. */
  readonly move: () => Promise<FaultProxy>;
}

/** Starts a Cluster of one node behind a proxy, whose address the node announces, until the test ends. */
export async function startProxiedCluster(): Promise<ProxiedCluster> {
  const port = await freePort();
  const proxy = await proxyOf(port);
  const server = await startAnnouncedCluster(port, proxy.port);
  onTestFinished(async () => void (await server.stop()));
  const move = async () => {
    const next = await proxyOf(port);
    await sendRedisCommand(port, ['CONFIG', 'SET', 'cluster-announce-port', `${next.port}`]);
    return next;
  };
  return { proxy, move };
}

/** Starts a Cluster of one node that announces the port of a proxy. */
export async function startAnnouncedCluster(
  port: number,
  announced: number,
  options: Pick<RedisOptions, 'aclRules'> = {},
): Promise<RunningRedis> {
  const [busPort, directory] = [await freePort(), temporaryDirectory()];
  const args = [
    ['--cluster-enabled', 'yes'],
    ['--cluster-config-file', join(directory, 'nodes.conf')],
    ['--cluster-port', `${busPort}`],
    ['--cluster-announce-ip', '127.0.0.1'],
    ['--cluster-announce-port', `${announced}`],
  ].flat();
  const server = await startRedis({ program: programPath('redis-server'), directory, port, args, ...options });
  await orStopAll([server], () => formCluster(port));
  return server;
}

async function formCluster(port: number): Promise<void> {
  await sendRedisCommand(port, ['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  await eventually(
    async () => String(await sendRedisCommand(port, ['CLUSTER', 'INFO'])).includes('cluster_state:ok'),
    () => 'the cluster is not ready',
  );
}

async function proxyOf(port: number): Promise<FaultProxy> {
  const proxy = await startFaultProxy({ target: { port } });
  onTestFinished(() => proxy.stop());
  return proxy;
}
