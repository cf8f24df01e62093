import { expect, onTestFinished, test } from 'vitest';
import { openRedis } from '../../src/redis/redis-connection.ts';
import { parseRedisUrl } from '../../src/redis/redis-url.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startSentinelDeployment } from '../support/redis-sentinel.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Sentinels tell of a failover at once, and the one that is asked for the master takes its time. */
const ONE_WAY_MILLISECONDS = 400;

describeWith(['redis-server'], 'a failover that is told of while the master is asked for', () => {
  test('is followed, and is not the end of the connection', async () => {
    const deployment = await startSentinelDeployment({ directory: temporaryDirectory() });
    onTestFinished(() => deployment.stop());
    const [port = 0] = deployment.sentinelPorts;
    const proxy = await startFaultProxy({ target: { port } });
    onTestFinished(() => proxy.stop());
    const address = parseRedisUrl(`redis+sentinel://127.0.0.1:${proxy.port}/${deployment.masterName}`);
    const connection = await openRedis({ address, tls: {}, commandMilliseconds: 500, onConnection: () => {} });
    onTestFinished(() => connection.close());
    const { redis } = connection;
    await redis.set('key', 'before');
    proxy.setLatency(ONE_WAY_MILLISECONDS);
    const master = await deployment.currentMaster();
    master.kill('SIGKILL');
    await deployment.masterAfter(master);
    proxy.setLatency(0);
    await eventually(
      async () => (await redis.set('key', 'after').catch(() => '')) === 'OK',
      () => `it stays ${redis.status}`,
      6_000,
    );
    expect(redis.status).toBe('ready');
  });
});
