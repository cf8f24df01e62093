import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { openRedis } from '../../src/redis/connection.ts';
import { type InvalidationFeed, openInvalidationFeed } from '../../src/redis/invalidation/feed.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { sendRedisCommand } from '../support/ask-redis.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { type ClusterDeployment, type ClusterOptions, startClusterDeployment } from '../support/redis-cluster.ts';
import type { RedisNode } from '../support/redis-node.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SLOTS = 16_384;
const TOLD_WITHIN_MILLISECONDS = 750;

interface Followed {
  readonly deployment: ClusterDeployment;
  readonly feed: InvalidationFeed;
  readonly told: readonly string[];
  /** How often anything may have changed. */
  readonly distrusted: () => number;
}

async function follow(options: Omit<ClusterOptions, 'directory'> = {}): Promise<Followed> {
  const deployment = await startClusterDeployment({ directory: temporaryDirectory(), ...options });
  onTestFinished(deployment.stop);
  const nodes = deployment.nodes.map(({ port }) => `127.0.0.1:${port}`);
  const access = { address: parseRedisUrl(`redis+cluster://${nodes.join(',')}`), tls: {} };
  const connection = await openRedis({ ...access, commandTimeoutMilliseconds: 1_000, onStatusChange: () => {} });
  const told: string[] = [];
  let distrusted = 0;
  const feed = openInvalidationFeed(connection.redis, {
    access,
    prefixes: ['a:'],
    channel: 'changes',
    onInvalidate: (keys) => told.push(...keys),
    onFlush: () => distrusted++,
    onMode: () => {},
  });
  onTestFinished(() => {
    feed.close();
    connection.close();
  });
  await untilTold(feed);
  return { deployment, feed, told, distrusted: () => distrusted };
}

const isTold = ({ syncedUntil }: InvalidationFeed) => performance.now() - syncedUntil <= TOLD_WITHIN_MILLISECONDS;
const untilTold = (feed: InvalidationFeed) =>
  eventually(
    () => isTold(feed),
    () => `not told: ${feed.mode}`,
  );

/** From when something is seen to be different until it is known again who tells what, in milliseconds. */
async function timeUnsettled(feed: InvalidationFeed): Promise<number> {
  await eventually(
    () => !isTold(feed),
    () => 'it is told as if nothing had happened',
    5_000,
  );
  const start = performance.now();
  await untilTold(feed);
  return performance.now() - start;
}

/** Gives all slots of one master to another: whoever believes otherwise is told before he who gets them. */
async function moveSlots({ nodes }: ClusterDeployment, from: RedisNode, to: RedisNode, slots: readonly number[]) {
  const id = String(await sendRedisCommand(to.port, ['CLUSTER', 'MYID']));
  await sendRedisCommand(to.port, ['CLUSTER', 'BUMPEPOCH']);
  for (const node of [from, ...nodes.filter((other) => other !== from && other !== to), to]) {
    const redis = new Redis(node.port);
    await Promise.all(slots.map((slot) => redis.cluster('SETSLOT', slot, 'NODE', id)));
    redis.disconnect();
  }
}

describeWith(['redis-server'], 'the changes of a Cluster', () => {
  test('are told only as long as each of its masters tells', async () => {
    const { deployment, feed, told } = await follow();
    const silent = await deployment.masterOfKey('a:key');
    silent.kill('SIGSTOP');
    await eventually(
      () => !isTold(feed),
      () => 'the silence of one master is not seen',
      1_500,
    );
    await eventually(
      () => feed.mode === 'none',
      () => 'its link is not given up',
      3_000,
    );
    silent.kill('SIGCONT');
    await untilTold(feed);
    expect(feed.mode).toBe('tracking');
    await deployment.waitUntilOk();
    await sendRedisCommand(silent.port, ['SET', 'a:key', 'value']);
    await eventually(
      () => told.includes('a:key'),
      () => 'it is not told',
      1_000,
    );
  });

  test('are not relied upon for two seconds after a master has gone or come', async () => {
    const { deployment, feed, distrusted } = await follow({ args: ['--cluster-allow-replica-migration', 'no'] });
    const [first, second] = deployment.nodes;
    if (!first || !second) throw new Error('there are three');
    const slots = Array.from({ length: Math.round(SLOTS / 3) }, (_, slot) => slot);
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      const before = distrusted();
      await moveSlots(deployment, from, to, slots);
      expect(await timeUnsettled(feed)).toBeGreaterThan(1_500);
      expect(distrusted()).toBeGreaterThan(before);
    }
  });

  test('are not relied upon for two seconds after a replica has taken the place of its master', async () => {
    const { deployment, feed } = await follow({ replicas: 1 });
    const replica = deployment.nodes.find(({ role }) => role === 'replica');
    await sendRedisCommand(replica?.port ?? 0, ['CLUSTER', 'FAILOVER']);
    expect(await timeUnsettled(feed)).toBeGreaterThan(1_500);
  });
});
