import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { expectWithin } from '../../support/expect-within.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { programPath } from '../../support/program-path.ts';
import { keyPrefix } from '../../support/redis.ts';
import { type OpenedRegistry, openRedisRegistry } from '../../support/redis-registry.ts';
import { type RunningRedis, startRedis } from '../../support/redis-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const prefix = keyPrefix();
const key = `${prefix}client:a`;
const record = (scope: string, more = {}) =>
  JSON.stringify({
    client_id: 'a',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'a',
    scope,
    ...more,
  });

describeWith(['redis-server'], 'a change in Redis', () => {
  let server: RunningRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis({
      program: programPath('redis-server'),
      directory: temporaryDirectory(),
      aclRules: [
        `tracked on nopass resetchannels &* -@all %R~* +@all`,
        `notified on nopass resetchannels &${prefix}changes -@all %R~* +@read +@connection +@pubsub +info -client`,
        `uninformed on nopass resetchannels -@all %R~* +@read +@connection +info -client`,
      ],
    });
    redis = new Redis(server.port);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  async function open(
    user: string,
    port = server.port,
    expected = { tracked: 'tracking', notified: 'pubsub' }[user] ?? 'none',
  ) {
    const opened = await openRedisRegistry(`redis://${user}:x@127.0.0.1:${port}`, { prefix });
    onTestFinished(() => opened.registry.close());
    await eventually(
      () => opened.modes.at(-1) === expected,
      () => `${opened.modes}`,
      5_000,
    );
    return opened;
  }

  const scopeOf = async ({ registry }: OpenedRegistry) => (await registry.find('a'))?.scopes.join();
  const untilSeen = (opened: OpenedRegistry, scope: string | undefined, milliseconds: number) =>
    eventually(
      async () => (await scopeOf(opened)) === scope,
      () => `the scope is not ${scope}`,
      milliseconds,
    );

  test('arrives by client tracking, without a lookup before', async () => {
    await redis.set(key, record('before'));
    const opened = await open('tracked');
    expect(opened.modes).toEqual(['tracking']);
    expect(await scopeOf(opened)).toBe('before');
    const lookups = async () => Number(/cmdstat_get:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
    const before = await lookups();
    for (let times = 0; times < 100; times++) expect(await scopeOf(opened)).toBe('before');
    expect(await lookups()).toBe(before);
    await redis.set(key, record('after'));
    await untilSeen(opened, 'after', 1_000);
    expect(await lookups()).toBe(before + 1);
  });

  test('reaches two replicas within 100 ms in 99 % of cases', async () => {
    const replicas = [await open('tracked'), await open('tracked')];
    let number = 0;
    await expectWithin(100, async () => {
      const delays: number[] = [];
      for (const end = number + 200; number < end; number++) {
        await Promise.all(replicas.map(scopeOf));
        const start = performance.now();
        await redis.set(key, record(`v${number}`));
        await Promise.all(replicas.map((replica) => untilSeen(replica, `v${number}`, 1_000)));
        delays.push(performance.now() - start);
      }
      return delays.sort((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? Number.NaN;
    });
  });

  test('arrives by the channel of its writer if client tracking is not permitted', async () => {
    await redis.set(key, record('before'));
    const opened = await open('notified');
    expect(await scopeOf(opened)).toBe('before');
    await redis.set(key, record('after'));
    expect(await scopeOf(opened)).toBe('before');
    await redis.publish(`${prefix}changes`, key);
    await untilSeen(opened, 'after', 1_000);
  });

  test('is looked up after the process was suspended for longer than the sync window', async () => {
    await redis.set(key, record('before'));
    const opened = await open('tracked');
    /** Whether the client is looked up after this process was suspended for this long. */
    const isLookedUpAfter = async (milliseconds: number) => {
      await scopeOf(opened);
      const { misses = 0 } = opened.registry.remote ?? {};
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
      await scopeOf(opened);
      return (opened.registry.remote?.misses ?? 0) > misses;
    };
    expect(await isLookedUpAfter(760)).toBe(true);
    // On a busy machine, the last successful PING may be older than 150 ms.
    await eventually(
      async () => !(await isLookedUpAfter(550)),
      () => 'the cache is never trusted',
    );
  });

  test('is looked up on every request if no invalidations are permitted', async () => {
    const opened = await open('uninformed');
    for (const scope of ['one', 'two', 'three']) {
      await redis.set(key, record(scope));
      expect(await scopeOf(opened)).toBe(scope);
    }
  });

  test('is looked up after the command connection was lost', async () => {
    await redis.set(key, record('before'));
    const opened = await open('tracked');
    expect(await scopeOf(opened)).toBe('before');
    const { misses } = opened.registry.remote ?? { misses: 0 };
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(
      async () => (await scopeOf(opened)) === 'before' && (opened.registry.remote?.misses ?? 0) > misses,
      () => 'the client is not looked up',
      2_000,
    );
  });

  test('is seen when a record expires, without an invalidation', async () => {
    const opened = await open('tracked');
    await redis.set(key, record('for-a-while'), 'PX', 2_000);
    expect(await scopeOf(opened)).toBe('for-a-while');
    expect(opened.registry.remote?.hits).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 2_050));
    let scope: string | undefined = 'no reply';
    const isLookedUp = async () => {
      scope = await scopeOf(opened).catch(() => 'no reply');
      return scope !== 'no reply';
    };
    await eventually(isLookedUp, () => `${opened.problems}`);
    expect(scope).toBeUndefined();
  });

  test('in another database is seen once SELECT is permitted', async () => {
    await redis.call('ACL', 'SETUSER', 'selecting', 'on', 'nopass', '~*', '&*', '+@all', '-select');
    const opened = await openRedisRegistry(`redis://selecting:x@127.0.0.1:${server.port}/1`, { prefix });
    onTestFinished(() => opened.registry.close());
    expect(opened.problems.at(-1)).toContain('NOPERM');
    await redis.call('ACL', 'SETUSER', 'selecting', '+select');
    await eventually(
      () => opened.registry.notReadyReason === undefined,
      () => `${opened.problems}`,
      5_000,
    );
  });

  test('during an outage of the invalidation connection is seen after reconnection', async () => {
    await redis.set(key, record('before'));
    const opened = await open('tracked');
    expect(await scopeOf(opened)).toBe('before');
    const { length } = opened.modes;
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await redis.set(key, record('meanwhile'));
    await eventually(
      () => opened.modes.length > length + 1,
      () => `${opened.modes}`,
      5_000,
    );
    expect(opened.modes.slice(length)).toEqual(['none', 'tracking']);
    expect(await scopeOf(opened)).toBe('meanwhile');
  });

  test('takes effect within a second if the invalidation connection is half-open', async () => {
    const proxy = await startFaultProxy({ target: { port: server.port } });
    onTestFinished(() => proxy.stop());
    await redis.set(key, record('before'));
    const opened = await open('tracked', proxy.port);
    expect(await scopeOf(opened)).toBe('before');
    expect(proxy.freeze(({ sent }) => /subscribe/i.test(sent))).toHaveLength(1);
    await redis.set(key, record('after', { enabled: false }));
    await untilSeen(opened, 'after', 1_100);
    await eventually(
      () => opened.modes.slice(-2).join() === 'none,tracking',
      () => `${opened.modes}`,
      8_000,
    );
  });

  test('a replica with an empty cache is not ready while Redis denies its commands', async () => {
    await redis.call('ACL', 'SETUSER', 'refused', 'on', 'nopass', '~*', '&*', '+@all');
    const opened = await open('refused', server.port, 'tracking');
    expect(opened.registry.notReadyReason).toBeUndefined();
    await redis.call('ACL', 'SETUSER', 'refused', '-get', '-exists');
    await expect(opened.registry.find('unknown')).rejects.toMatchObject({ reason: expect.stringContaining('NOPERM') });
    expect(opened.registry.notReadyReason).toContain('NOPERM');
    expect(opened.registry.remote?.isUp).toBe(false);
    await redis.call('ACL', 'SETUSER', 'refused', '+get', '+exists');
    await eventually(
      () => opened.registry.notReadyReason === undefined,
      () => `${opened.registry.notReadyReason}`,
      5_000,
    );
  });

  describe('when all records disappear', () => {
    test('those with a marker are lost, not removed', async () => {
      await redis.set(key, record('known'));
      await redis.set(`${prefix}registry`, '{"format":1}');
      const opened = await open('tracked');
      expect(await scopeOf(opened)).toBe('known');
      await redis.flushall();
      await eventually(
        () => opened.dataLosses.at(-1) === true,
        () => 'the data loss is not detected',
        1_000,
      );
      expect(await scopeOf(opened)).toBe('known');
      const reason = expect.stringContaining('all client records are gone from Redis');
      await expect(opened.registry.find('unknown')).rejects.toMatchObject({ error: 'temporarily_unavailable', reason });
      expect(opened.registry.notReadyReason).toBeUndefined();

      await redis.set(key, record('restored', { enabled: false }));
      expect(await opened.registry.find('a')).toMatchObject({ enabled: false });
      await redis.set(`${prefix}registry`, '{"format":1}');
      await eventually(
        () => opened.dataLosses.at(-1) === false,
        () => 'the data loss is not detected',
        1_000,
      );
      expect(await opened.registry.find('unknown')).toBeUndefined();
      await redis.del(key);
      await untilSeen(opened, undefined, 1_000);
      await redis.del(`${prefix}registry`);
    });

    test('they are lost even without invalidations or lookups of unknown clients', async () => {
      await redis.set(key, record('known'));
      await redis.set(`${prefix}registry`, '{"format":1}');
      const opened = await open('uninformed');
      expect(await scopeOf(opened)).toBe('known');
      await redis.flushall();
      expect(await scopeOf(opened)).toBe('known');
      expect(opened.dataLosses).toEqual([true]);
    });

    test('those without a marker are removed', async () => {
      await redis.set(key, record('known'));
      const opened = await open('tracked');
      expect(await scopeOf(opened)).toBe('known');
      await redis.flushall();
      await untilSeen(opened, undefined, 1_000);
      expect(opened.dataLosses).toEqual([]);
    });
  });
});
