import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { InvalidationConnection, type InvalidationMode } from '../../../src/redis/invalidation/connection.ts';
import { parseRedisUrl } from '../../../src/redis/url.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { programPath } from '../../support/program-path.ts';
import { type RunningRedis, startRedis } from '../../support/redis-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describeWith(['redis-server'], 'a link that Redis lets do nothing', () => {
  let server: RunningRedis;
  let redis: Redis;
  beforeAll(async () => {
    const aclRules = ['server on >secret resetchannels -@all ~* +@connection +info +subscribe'];
    server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory(), aclRules });
    redis = new Redis(server.port);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  test('tries until it may, however often that takes', async () => {
    const told: string[] = [];
    const notifications: InvalidationMode[] = [];
    const link = new InvalidationConnection({
      access: { address: parseRedisUrl(`redis://server:secret@127.0.0.1:${server.port}`), tls: {} },
      prefixes: ['a:'],
      channel: 'changes',
      onInvalidate: (keys) => told.push(...keys),
      onFlush: () => {},
      onMode: (notification) => notifications.push(notification),
    });
    onTestFinished(() => link.close());
    // The last refusals are of connections after the first.
    await eventually(
      () => notifications.length > 2,
      () => `${notifications}`,
      5_000,
    );
    expect(new Set(notifications)).toEqual(new Set(['none']));
    expect(link.syncedUntil).toBe(Number.NEGATIVE_INFINITY);
    await redis.call('ACL', 'SETUSER', 'server', 'allchannels');
    await eventually(
      () => link.mode === 'tracking',
      () => `${notifications}`,
      5_000,
    );
    expect(performance.now() - link.syncedUntil).toBeLessThan(1_000);
    await redis.set('a:key', 'value');
    await eventually(
      () => told.includes('a:key'),
      () => 'nothing is told',
      1_000,
    );
  });
});
