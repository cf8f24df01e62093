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

describeWith(
  ['redis-server'],
  'behind a load balancer that leads new connections to another server, the registry',
  () => {
    const servers: { running: RunningRedis; redis: Redis }[] = [];
    const aclRules = ['no-info on nopass resetchannels &* -@all ~* +@all -info'];
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
      if (!first || !second) throw new Error('two servers are needed');
      const proxy = await startFaultProxy({ target: first.running });
      onTestFinished(() => proxy.stop());
      await first.redis.set('countersign:client:a', record('first'));
      await second.redis.set('countersign:client:a', record('second'));
      const opened = await openRedisRegistry(`redis://${user}:x@127.0.0.1:${proxy.port}`, { prefix: 'countersign:' });
      onTestFinished(() => opened.registry.close());
      await eventually(
        () => opened.modes.at(-1) === 'tracking',
        () => `${opened.modes}`,
        5_000,
      );
      return { first: first.redis, second: second.redis, proxy, opened };
    }

    const portOf = ({ options }: Redis) => ({ port: Number(options.port) });
    const scopeOf = async ({ registry }: OpenedRegistry) => (await registry.find('a'))?.scopes.join();
    const untilFound = (opened: OpenedRegistry, scope: string, milliseconds: number) =>
      eventually(
        async () => (await scopeOf(opened)) === scope,
        () => `the client does not have the scope ${scope}`,
        milliseconds,
      );

    for (const [connection, type] of [
      ['reading', 'normal'],
      ['invalidation', 'pubsub'],
    ] as const) {
      test(`follows when only the ${connection} connection reconnects`, async () => {
        const { first, second, proxy, opened } = await openBehindBalancer();
        expect(await scopeOf(opened)).toBe('first');
        proxy.redirect(() => portOf(second));
        await first.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
        await untilFound(opened, 'second', 3_000);
        for (const scope of ['one', 'two', 'three']) {
          await second.set('countersign:client:a', record(scope));
          await untilFound(opened, scope, 1_000);
        }
      });
    }

    test('follows with the invalidation connection, so that clients are served from the cache', async () => {
      const { first, second, proxy, opened } = await openBehindBalancer();
      expect(await scopeOf(opened)).toBe('first');
      proxy.redirect(() => portOf(second));
      await first.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const isServedFromCache = async () => {
        const { misses = 0 } = opened.registry.remote ?? {};
        return (await scopeOf(opened)) === 'second' && opened.registry.remote?.misses === misses;
      };
      await eventually(isServedFromCache, () => 'every lookup goes to Redis', 5_000);
    });

    test('reports once that its connections lead to different servers, and does not reconnect on FLUSHALL', async () => {
      const { first, second, proxy, opened } = await openBehindBalancer();
      let count = 0;
      // Each reconnection leads away from the other connection again.
      proxy.redirect(() => portOf(count++ % 2 === 0 ? second : first));
      await first.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await eventually(
        () => opened.reasons.at(-1)?.includes('leads to another server') === true,
        () => `${opened.reasons}`,
        5_000,
      );
      const reported = opened.modes.length;
      for (let times = 0; times < 40; times += 1) {
        await Promise.all([first.flushall(), second.flushall()]);
        await delay(25);
      }
      const before = count;
      await delay(1_500);
      expect(count - before).toBeLessThan(4);
      expect(opened.modes.slice(reported)).toEqual([]);
      expect(opened.registry.remote?.invalidationMode).toBe('none');
      proxy.redirect(() => portOf(second));
      await eventually(
        () => opened.modes.at(-1) === 'tracking',
        () => `${opened.modes}`,
        10_000,
      );
    });

    test('relies on invalidation when the ACL denies INFO', async () => {
      const { opened } = await openBehindBalancer('no-info');
      expect(await scopeOf(opened)).toBe('first');
      const { misses } = opened.registry.remote ?? {};
      for (let times = 0; times < 100; times += 1) expect(await scopeOf(opened)).toBe('first');
      expect(opened.registry.remote?.misses).toBe(misses);
    });
  },
);
