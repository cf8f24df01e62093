import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { openRedis } from '../../../src/redis/connection.ts';
import { openInvalidationFeed } from '../../../src/redis/invalidation/feed.ts';
import { parseRedisUrl } from '../../../src/redis/url.ts';
import { announcedKeys, openTokenStore } from '../../../src/service/token-store.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { programPath } from '../../support/program-path.ts';
import { startRedis } from '../../support/redis-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const start = async () => {
  const running = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
  onTestFinished(() => void running.stop());
  return running;
};

describeWith(['redis-server'], 'a key whose changes are announced', () => {
  test('need not be read until it changes, if it is read from the server of the feed', async () => {
    const [first, second] = [await start(), await start()];
    const proxy = await startFaultProxy({ target: first });
    onTestFinished(() => proxy.stop());
    const access = { address: parseRedisUrl(proxy.url), tls: {} };
    const reader = await openRedis({ ...access, commandTimeoutMilliseconds: 1_000, onStatusChange: () => {} });
    onTestFinished(() => reader.close());
    const keys = announcedKeys('a:');
    const key = keys.revocations;
    const feed = openInvalidationFeed(reader.redis, {
      access,
      prefixes: [key.key],
      channel: 'changes',
      onInvalidate: () => key.changed(),
      onFlush: () => key.changed(),
      onMode: () => {},
    });
    onTestFinished(() => feed.close());
    key.follow(feed);
    const store = await openTokenStore({ ...access, keyPrefix: 'a:' }, keys);
    onTestFinished(() => store.connection.close());
    const untilUnchanged = () =>
      eventually(
        () => key.unchangedUntil(performance.now()) !== undefined,
        () => `it has to be read, in mode ${feed.mode}`,
      );
    await untilUnchanged();

    const readAt = performance.now();
    const admin = new Redis({ port: first.port });
    onTestFinished(() => admin.disconnect());
    const changed = new Promise<void>((resolve) => key.onChange(resolve));
    await admin.set(key.key, 'x');
    await changed;
    expect(key.unchangedUntil(readAt)).toBeUndefined();
    await untilUnchanged();

    const { redis } = store.connection;
    const reconnect = async (port: number) => {
      proxy.redirect(() => ({ port }));
      const ready = new Promise((resolve) => redis.once('ready', resolve));
      redis.disconnect(true);
      await ready;
    };
    await reconnect(second.port);
    // Sent behind the command that asks which server it is.
    await store.redis.execute((connected) => connected.ping());
    expect([feed.mode, key.unchangedUntil(performance.now())]).toEqual(['tracking', undefined]);
    await reconnect(first.port);
    await untilUnchanged();
  });
});
