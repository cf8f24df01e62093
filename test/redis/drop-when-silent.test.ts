import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { dropWhenSilent } from '../../src/redis/drop-when-silent.ts';
import { Suspicion } from '../../src/redis/suspicion.ts';
import { describeWith } from '../support/describe-with.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { redisUrl } from '../support/redis.ts';

describeWith(['redis-server'], 'a connection that is cut off', () => {
  test('is dropped while a command waits for its reply', async () => {
    const proxy = await startFaultProxy({ target: { port: Number(new URL(redisUrl()).port) } });
    onTestFinished(() => proxy.stop());
    const redis = new Redis({ port: proxy.port, retryStrategy: () => null, disconnectTimeout: 50 });
    onTestFinished(() => redis.disconnect());
    redis.on('error', () => {});
    await redis.ping();
    const expectReply = dropWhenSilent(redis);
    // The next probe is due in ten seconds.
    await delay(300);
    proxy.freeze(() => true);
    const closed = new Promise<true>((resolve) => redis.once('close', () => resolve(true)));
    redis.get('key').catch(() => {});
    expectReply();
    expect(await Promise.race([closed, delay(8_000)])).toBe(true);
  });
});

test('connections are probed once, and at once, when a suspicion is raised', () => {
  const suspicion = new Suspicion();
  let hastened = 0;
  const connection = { hasten: () => hastened++, endIfUnanswered: () => {} };
  suspicion.watch(connection);
  const [source, other] = [{}, {}];
  for (const each of [source, source, other]) suspicion.set(each, true);
  expect(hastened).toBe(1);
  for (const each of [source, other]) suspicion.set(each, false);
  suspicion.set(source, true);
  expect(hastened).toBe(2);
  suspicion.unwatch(connection);
  suspicion.set(source, false);
  suspicion.set(source, true);
  expect(hastened).toBe(2);
});
