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
  const nobody = { onInvalidate: () => {}, onFlush: () => {}, onMode: () => {} };
  const feed = openInvalidationFeed(connection.redis, { access, prefixes: ['a:'], channel: 'changes', ...nobody });
  onTestFinished(() => {
    feed.close();
    connection.close();
  });
  return feed;
}

describeWith(['redis-server'], 'the changes of a Cluster', () => {
  test('are told up to when the master tells them that is behind', async () => {
    const args = ['--user', ...aclRule.split(' ')];
    const deployment = await startClusterDeployment({ directory: temporaryDirectory(), args });
    onTestFinished(() => deployment.stop());
    const feed = await openFeed(deployment);
    await eventually(
      () => feed.syncedUntil > 0,
      () => feed.mode,
    );
    // One master lets it listen no more.
    const silent = new Redis({ port: deployment.nodes[1]?.port ?? 0 });
    onTestFinished(() => silent.disconnect());
    await silent.call('ACL', 'SETUSER', 'server', 'resetchannels');
    await silent.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(
      () => feed.syncedUntil === Number.NEGATIVE_INFINITY,
      () => 'it counts what the others tell',
      2_000,
    );
    expect(feed.mode).toBe('none');
  });
});
