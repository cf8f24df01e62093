import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { InvalidationConnection, type InvalidationMode } from '../../../src/redis/invalidation/connection.ts';
import { parseRedisUrl } from '../../../src/redis/url.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { programPath } from '../../support/program-path.ts';
import { type RunningRedis, startRedis } from '../../support/redis-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describeWith(['redis-server'], 'an invalidation connection that the ACL denies every channel', () => {
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

  test('retries until the ACL permits it', async () => {
    const invalidated: string[] = [];
    const modes: InvalidationMode[] = [];
    const connection = new InvalidationConnection({
      access: { address: parseRedisUrl(`redis://server:secret@127.0.0.1:${server.port}`), tls: {} },
      prefixes: ['a:'],
      channel: 'changes',
      onInvalidate: (keys) => invalidated.push(...keys),
      onFlush: () => {},
      onMode: (mode) => modes.push(mode),
    });
    onTestFinished(() => connection.close());
    // The later errors come from connections after the first.
    await eventually(
      () => modes.length > 2,
      () => `${modes}`,
      5_000,
    );
    expect(new Set(modes)).toEqual(new Set(['none']));
    expect(connection.syncedUntil).toBe(Number.NEGATIVE_INFINITY);
    await redis.call('ACL', 'SETUSER', 'server', 'allchannels');
    await eventually(
      () => connection.mode === 'tracking',
      () => `${modes}`,
      5_000,
    );
    const now = performance.now();
    await eventually(
      () => connection.syncedUntil > now,
      () => 'it is not synced up to now',
      1_000,
    );
    await redis.set('a:key', 'value');
    await eventually(
      () => invalidated.includes('a:key'),
      () => 'a:key is not invalidated',
      1_000,
    );
  });
});
