import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { programPath } from '../support/program-path.ts';
import { type OpenedRegistry, openRedisRegistry } from '../support/redis-registry.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const record = (scope: string) =>
  JSON.stringify({
    client_id: 'a',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'a',
    scope,
  });

describeWith(['redis-server'], 'a balancer that leads a new connection to another server', () => {
  const servers: { running: RunningRedis; redis: Redis }[] = [];
  const aclRules = ['silent on nopass resetchannels &* -@all ~* +@all -info'];
  beforeAll(async () => {
    for (let number = 0; number < 2; number += 1) {
      const program = programPath('redis-server');
      const running = await startRedis({ program, directory: temporaryDirectory(), aclRules });
      servers.push({ running, redis: new Redis(running.port) });
    }
  });
  afterAll(async () => {
    for (const { running, redis } of servers) {
      redis.disconnect();
      await running.stop();
    }
  });

  async function openBehindBalancer(user = 'default') {
    const [first, second] = servers;
    if (!first || !second) throw new Error('there are not two servers');
    const proxy = await startFaultProxy({ target: first.running });
    onTestFinished(() => proxy.stop());
    await first.redis.set('countersign:client:a', record('first'));
    await second.redis.set('countersign:client:a', record('second'));
    const opened = await openRedisRegistry(`redis://${user}:x@127.0.0.1:${proxy.port}`, { prefix: 'countersign:' });
    onTestFinished(() => opened.registry.close());
    await eventually(
      () => opened.notifications.at(-1) === 'tracking',
      () => `${opened.notifications}`,
      5_000,
    );
    return { first: first.redis, second: second.redis, proxy, opened };
  }

  const portOf = ({ options }: Redis) => ({ port: Number(options.port) });
  const scopeOf = async ({ registry }: OpenedRegistry) => (await registry.find('a'))?.scopes.join();
  const untilSeen = (opened: OpenedRegistry, scope: string, milliseconds: number) =>
    eventually(
      async () => (await scopeOf(opened)) === scope,
      () => `${scope} is not seen`,
      milliseconds,
    );

  for (const [which, type] of [
    ['reads', 'normal'],
    ['tells', 'pubsub'],
  ] as const) {
    test(`is followed where only the connection that ${which} is made anew`, async () => {
      const { first, second, proxy, opened } = await openBehindBalancer();
      expect(await scopeOf(opened)).toBe('first');
      proxy.redirect(() => portOf(second));
      await first.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
      await untilSeen(opened, 'second', 3_000);
      for (const scope of ['one', 'two', 'three']) {
        await second.set('countersign:client:a', record(scope));
        await untilSeen(opened, scope, 1_000);
      }
    });
  }

  test('is followed by the connection that tells, so that nobody asks before a change', async () => {
    const { first, second, proxy, opened } = await openBehindBalancer();
    expect(await scopeOf(opened)).toBe('first');
    proxy.redirect(() => portOf(second));
    await first.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const isAlone = async () => {
      const { misses = 0 } = opened.registry.remote ?? {};
      return (await scopeOf(opened)) === 'second' && opened.registry.remote?.misses === misses;
    };
    await eventually(isAlone, () => 'every question goes to Redis', 5_000);
  });

  test('is said while the two lead to two servers, and no FLUSHALL makes more of it', async () => {
    const { first, second, proxy, opened } = await openBehindBalancer();
    let count = 0;
    // The one whose connection is made anew comes to the same server again.
    proxy.redirect(() => portOf(count++ % 2 === 0 ? second : first));
    await first.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(
      () => opened.reasons.at(-1)?.includes('leads to another server') === true,
      () => `${opened.reasons}`,
      5_000,
    );
    const told = opened.notifications.length;
    for (let times = 0; times < 40; times += 1) {
      await Promise.all([first.flushall(), second.flushall()]);
      await delay(25);
    }
    const before = count;
    await delay(1_500);
    expect(count - before).toBeLessThan(4);
    expect(opened.notifications.slice(told)).toEqual([]);
    expect(opened.registry.remote?.invalidationMode).toBe('none');
    proxy.redirect(() => portOf(second));
    await eventually(
      () => opened.notifications.at(-1) === 'tracking',
      () => `${opened.notifications}`,
      10_000,
    );
  });

  test('is not seen where the user may not ask who a server is, and then what is told counts', async () => {
    const { opened } = await openBehindBalancer('silent');
    expect(await scopeOf(opened)).toBe('first');
    const { misses } = opened.registry.remote ?? {};
    for (let times = 0; times < 100; times += 1) expect(await scopeOf(opened)).toBe('first');
    expect(opened.registry.remote?.misses).toBe(misses);
  });
});
