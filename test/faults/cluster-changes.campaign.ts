import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { openRedis } from '../../src/redis/connection.ts';
import { type InvalidationFeed, openInvalidationFeed } from '../../src/redis/invalidation/feed.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { type ClusterDeployment, type ClusterOptions, startClusterDeployment } from '../support/redis-cluster.ts';
import type { RedisNode } from '../support/redis-node.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SLOTS = 16_384;
const SYNCED_WITHIN_MILLISECONDS = 750;
/** Less than the two seconds, since the feed may have been synced for the last time a while before the change. */
const DISTRUSTED_MILLISECONDS = 1_500;

interface OpenedFeed {
  readonly deployment: ClusterDeployment;
  readonly feed: InvalidationFeed;
  readonly invalidated: readonly string[];
  /** How many flushes there were. */
  readonly flushes: () => number;
}

async function openFeed(options: Omit<ClusterOptions, 'directory'> = {}): Promise<OpenedFeed> {
  const deployment = await startClusterDeployment({ directory: temporaryDirectory(), ...options });
  onTestFinished(deployment.stop);
  const nodes = deployment.nodes.map(({ port }) => `127.0.0.1:${port}`);
  const access = { address: parseRedisUrl(`redis+cluster://${nodes.join(',')}`), tls: {} };
  const connection = await openRedis({ ...access, commandTimeoutMilliseconds: 1_000, onStatusChange: () => {} });
  const invalidated: string[] = [];
  let flushes = 0;
  const feed = openInvalidationFeed(connection.redis, {
    access,
    prefixes: ['a:'],
    channel: 'changes',
    onInvalidate: (keys) => invalidated.push(...keys),
    onFlush: () => flushes++,
    onMode: () => {},
  });
  onTestFinished(() => {
    feed.close();
    connection.close();
  });
  await untilSynced(feed);
  return { deployment, feed, invalidated, flushes: () => flushes };
}

const isSynced = ({ syncedUntil }: InvalidationFeed) => performance.now() - syncedUntil <= SYNCED_WITHIN_MILLISECONDS;
const untilSynced = (feed: InvalidationFeed) =>
  eventually(
    () => isSynced(feed),
    () => `not synced: ${feed.mode}`,
  );

/**
 * Waits until the feed has not been synced for as long as a change of topology makes it distrust its cache. Shorter gaps
 * are those of a machine that was suspended meanwhile.
 */
async function expectDistrust(feed: InvalidationFeed): Promise<void> {
  let [lastSynced, longest] = [performance.now(), 0];
  await eventually(
    () => {
      const now = performance.now();
      if (isSynced(feed)) lastSynced = now;
      longest = Math.max(longest, now - lastSynced);
      return longest > DISTRUSTED_MILLISECONDS;
    },
    () => `the feed was not synced for ${Math.round(longest)} ms at most`,
  );
  await untilSynced(feed);
}

/** Moves all slots of one master to another, which learns of it after the other nodes. */
async function moveSlots({ nodes }: ClusterDeployment, from: RedisNode, to: RedisNode, slots: readonly number[]) {
  const id = String(await sendRedisCommand(to.port, ['CLUSTER', 'MYID']));
  await sendRedisCommand(to.port, ['CLUSTER', 'BUMPEPOCH']);
  for (const node of [from, ...nodes.filter((other) => other !== from && other !== to), to]) {
    const redis = new Redis(node.port);
    await Promise.all(slots.map((slot) => redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)));
    redis.disconnect();
  }
}

describeWith(['redis-server'], 'the invalidation feed of a Cluster', () => {
  test('is synced only while each of its masters responds', async () => {
    const { deployment, feed, invalidated } = await openFeed();
    const unresponsive = await deployment.masterOfKey('a:key');
    unresponsive.kill('SIGSTOP');
    await eventually(
      () => !isSynced(feed),
      () => 'the feed does not detect the unresponsive master',
      1_500,
    );
    await eventually(
      () => feed.mode === 'none',
      () => 'the connection to the unresponsive master is not dropped',
      3_000,
    );
    unresponsive.kill('SIGCONT');
    await untilSynced(feed);
    expect(feed.mode).toBe('tracking');
    await deployment.waitUntilOk();
    await sendRedisCommand(unresponsive.port, ['SET', 'a:key', 'value']);
    await eventually(
      () => invalidated.includes('a:key'),
      () => 'a:key is not invalidated',
      1_000,
    );
  });

  test('is not synced for two seconds after a master has gained or lost its slots', async () => {
    const { deployment, feed, flushes } = await openFeed({ args: ['--cluster-allow-replica-migration', 'no'] });
    const [first, second] = deployment.nodes;
    if (!first || !second) throw new Error('three masters are needed');
    const slots = Array.from({ length: Math.round(SLOTS / 3) }, (_, slot) => slot);
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      const before = flushes();
      await moveSlots(deployment, from, to, slots);
      await expectDistrust(feed);
      expect(flushes()).toBeGreaterThan(before);
    }
  });

  test('is not synced for two seconds after a failover', async () => {
    const { deployment, feed } = await openFeed({ replicas: 1 });
    const replica = deployment.nodes.find(({ role }) => role === 'replica');
    await sendRedisCommand(replica?.port ?? 0, ['CLUSTER', 'FAILOVER']);
    await expectDistrust(feed);
  });
});
