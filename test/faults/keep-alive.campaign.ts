import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepAlive } from '../../src/redis/keep-alive.ts';
import { openRedis } from '../../src/redis/redis-connection.ts';
import { parseRedisUrl } from '../../src/redis/redis-url.ts';
import { askRedis } from '../support/ask-redis.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program-path.ts';
import { startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A Cluster of one node, which says that it is where the proxy is. */
async function clusterBehindProxy(): Promise<FaultProxy> {
  const [port, busPort, directory] = [await freePort(), await freePort(), temporaryDirectory()];
  const proxy = await startFaultProxy({ target: { port } });
  onTestFinished(() => proxy.stop());
  const args = [
    ['--cluster-enabled', 'yes'],
    ['--cluster-config-file', join(directory, 'nodes.conf')],
    ['--cluster-port', `${busPort}`],
    ['--cluster-announce-ip', '127.0.0.1'],
    ['--cluster-announce-port', `${proxy.port}`],
  ].flat();
  const server = await startRedis({ program: programPath('redis-server'), directory, port, args });
  onTestFinished(async () => void (await server.stop()));
  await askRedis(port, ['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  await eventually(
    async () => String(await askRedis(port, ['CLUSTER', 'INFO'])).includes('cluster_state:ok'),
    () => 'the cluster is not ready',
  );
  return proxy;
}

describeWith(['redis-server'], 'a half-open connection to a node of a Cluster', () => {
  test('is given up for a new one, and so is that one', async () => {
    const proxy = await clusterBehindProxy();
    const address = parseRedisUrl(`redis+cluster://127.0.0.1:${proxy.port}`);
    const { redis } = await openRedis({ address, tls: {}, commandMilliseconds: 500, onConnection: () => {} });
    onTestFinished(() => redis.disconnect());
    redis.on('error', () => {});
    keepAlive(redis);
    for (const value of ['once', 'again']) {
      await redis.set('key', value);
      expect(proxy.freeze(() => true).length).toBeGreaterThan(0);
      await eventually(
        async () => (await redis.get('key').catch(() => undefined)) === value,
        () => `it does not answer ${value}`,
        6_000,
      );
    }
  });
});
