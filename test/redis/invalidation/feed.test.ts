import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { openRedis } from '../../../src/redis/connection.ts';
import { type InvalidationFeed, openInvalidationFeed } from '../../../src/redis/invalidation/feed.ts';
import { parseRedisUrl } from '../../../src/redis/url.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { type ClusterDeployment, startClusterDeployment } from '../../support/redis-cluster.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const aclRule = 'server on nopass allchannels -@all ~* +@connection +info +subscribe +cluster +readonly';

async function openFeed({ nodes: [first] }: ClusterDeployment): Promise<InvalidationFeed> {
  const access = { address: parseRedisUrl(`redis+cluster://server:x@127.0.0.1:${first?.port}`), tls: {} };
  const connection = await openRedis({ ...access, commandTimeoutMilliseconds: 1_000, onStatusChange: () => {} });
  const ignore = { onInvalidate: () => {}, onFlush: () => {}, onMode: () => {} };
  const feed = openInvalidationFeed(connection.redis, { access, prefixes: ['a:'], channel: 'changes', ...ignore });
  onTestFinished(() => {
    feed.close();
    connection.close();
  });
  return feed;
}

describeWith(['redis-server'], 'the invalidation feed of a Cluster', () => {
  test('is synced only up to the master that lags behind', async () => {
    const args = ['--user', ...aclRule.split(' ')];
    const deployment = await startClusterDeployment({ directory: temporaryDirectory(), args });
    onTestFinished(() => deployment.stop());
    const feed = await openFeed(deployment);
    await eventually(
      () => feed.syncedUntil > 0,
      () => feed.mode,
    );
    // One master denies further subscriptions.
    const denying = new Redis({ port: deployment.nodes[1]?.port ?? 0 });
    onTestFinished(() => denying.disconnect());
    await denying.call('ACL', 'SETUSER', 'server', 'resetchannels');
    await denying.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(
      () => feed.syncedUntil === Number.NEGATIVE_INFINITY,
      () => 'it counts the other masters only',
      2_000,
    );
    expect(feed.mode).toBe('none');
  });
});
