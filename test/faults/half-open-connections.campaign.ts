import { expect, onTestFinished, test } from 'vitest';
import { openRedis } from '../../src/redis/connection.ts';
import { dropWhenSilent } from '../../src/redis/drop-when-silent.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { startProxiedCluster } from '../support/proxied-cluster.ts';

describeWith(['redis-server'], 'a half-open connection to a node of a Cluster', () => {
  test('is replaced by a new one, and so is that one', async () => {
    const { proxy } = await startProxiedCluster();
    const address = parseRedisUrl(`redis+cluster://127.0.0.1:${proxy.port}`);
    const connection = await openRedis({ address, tls: {}, commandTimeoutMilliseconds: 500, onStatusChange: () => {} });
    onTestFinished(() => connection.close());
    const { redis } = connection;
    redis.on('error', () => {});
    const expectReply = dropWhenSilent(redis);
    for (const value of ['once', 'again']) {
      await redis.set('key', value);
      expect(proxy.freeze(() => true).length).toBeGreaterThan(0);
      await eventually(
        async () => {
          expectReply();
          return (await redis.get('key').catch(() => undefined)) === value;
        },
        () => `the connection does not return ${value}`,
        6_000,
      );
    }
  });
});

describeWith(['redis-server'], 'a half-open connection to a node that joined the Cluster later', () => {
  test('is dropped', async () => {
    const { proxy, move } = await startProxiedCluster();
    const address = parseRedisUrl(`redis+cluster://127.0.0.1:${proxy.port}`);
    const connection = await openRedis({ address, tls: {}, commandTimeoutMilliseconds: 500, onStatusChange: () => {} });
    onTestFinished(() => connection.close());
    const { redis } = connection;
    redis.on('error', () => {});
    const expectReply = dropWhenSilent(redis);
    const later = await move();
    // A command that is redirected there opens the connection.
    const isConnected = async () => {
      await redis.get('key').catch(() => undefined);
      return later.connections().length > 0;
    };
    await eventually(isConnected, () => 'commands still go to the previous node', 5_000);
    const frozen = later.freeze(() => true).map(({ id }) => id);
    expect(frozen.length).toBeGreaterThan(0);
    // It is probed while a command waits.
    const isDropped = async () => {
      expectReply();
      await redis.get('key').catch(() => undefined);
      return !later.connections().some(({ id }) => frozen.includes(id));
    };
    await eventually(isDropped, () => 'the half-open connection is kept', 3_000);
  });
});
