import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { OAuthError } from '../../../src/oauth/oauth-error.ts';
import { announcedKeys } from '../../../src/service/token-store.ts';
import { startCommandProxy } from '../../support/command-proxy.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { programPath } from '../../support/program-path.ts';
import { keyPrefix } from '../../support/redis.ts';
import { type RedisNode, startRedisNode } from '../../support/redis-node.ts';
import { sendRedisCommand } from '../../support/send-redis-command.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { accessToken, type OpenedRevocations, openTokenRevocations } from '../../support/token-revocations.ts';

const seconds = () => Math.floor(Date.now() / 1000);
const inAnHour = () => String(seconds() + 3_600);

describeWith(['redis-server'], 'the revocations of a replica', () => {
  let node: RedisNode;
  let redis: Redis;
  beforeAll(async () => {
    node = await startRedisNode({ program: programPath('redis-server'), directory: temporaryDirectory() });
    redis = new Redis(node.port, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    redis.on('error', () => {});
  });
  afterAll(async () => {
    redis?.disconnect();
    await node?.stop();
  });

  type Options = Partial<Parameters<typeof openTokenRevocations>[1]> & {
    readonly port?: number;
    readonly user?: string;
  };

  async function open({ port = node.port, user = '', ...options }: Options = {}): Promise<OpenedRevocations> {
    const opened = await openTokenRevocations(`redis://${user}127.0.0.1:${port}`, { prefix: keyPrefix(), ...options });
    onTestFinished(opened.close);
    return opened;
  }

  async function openSynced(options: Options = {}): Promise<OpenedRevocations> {
    const opened = await open(options);
    await opened.untilSynced();
    return opened;
  }

  const revoke = (prefix: string, jti: string, id = '*') =>
    redis.xadd(`${prefix}revocations`, id, 'jti', jti, 'exp', inAnHour());

  /** The reason, undefined, or the code of the error. */
  const outcomeOf = ({ revocations }: Pick<OpenedRevocations, 'revocations'>, token = accessToken()) =>
    Promise.resolve()
      .then(() => revocations.check(token))
      .catch((error: unknown) => (error instanceof OAuthError ? error.error : String(error)));

  const untilRevoked = ({ revocations, events }: OpenedRevocations, token = accessToken()) =>
    eventually(
      async () => (await outcomeOf({ revocations }, token)) === 'is revoked',
      () => `it is not revoked: ${events}`,
    );
  const untilEvent = ({ events }: OpenedRevocations, expected: RegExp) =>
    eventually(
      () => events.some((event) => expected.test(event)),
      () => `no ${expected} in ${events}`,
    );

  test('contain a token that another replica revokes, within a second', async () => {
    const prefix = keyPrefix();
    const [one, two] = [await openSynced({ prefix }), await openSynced({ prefix })];
    const token = accessToken();
    expect([one.revocations.check(token), two.revocations.check(token)]).toEqual([undefined, undefined]);
    await one.revocations.revoke(token);
    expect(one.revocations.check(token)).toBe('is revoked');
    await eventually(
      () => two.revocations.check(token) === 'is revoked',
      () => 'it is not revoked',
      1_000,
    );
    expect(two.revocations.check(accessToken())).toBe(undefined);
  });

  test('contain the tokens for each equivalent of a revoked audience, and no others', async () => {
    const prefix = keyPrefix();
    const opened = await openSynced({ prefix });
    const subject = ['audience', 'HTTPS://API.example:443', 'before', String(Math.floor(Date.now() / 1000))];
    await redis.xadd(`${prefix}revocations`, '*', ...subject, 'exp', inAnHour());
    const outcomes = async (...audiences: string[]) =>
      Promise.all(audiences.map(async (each) => outcomeOf(opened, accessToken({ audience: [each] }))));
    const revoked = expect.stringMatching(/^is revoked, as every token for/);
    const all = ['https://api.example', 'https://api.example/', 'https://api.example/v1', 'http://api.example'];
    const expected = [revoked, revoked, undefined, undefined];
    await eventually(
      async () => (await outcomes(...all))[0] !== undefined,
      () => `nothing is revoked: ${opened.events}`,
    );
    expect(await outcomes(...all)).toEqual(expected);
  });

  test('are not read any more by a replica that has stopped', async () => {
    const prefix = keyPrefix();
    const [stopped, other] = [await openSynced({ prefix }), await openSynced({ prefix })];
    await stopped.revocations.close();
    const token = accessToken();
    await revoke(prefix, token.tokenId);
    await untilRevoked(other, token);
    // Four polls.
    await delay(1_000);
    expect(stopped.revocations.findKnown(token)).toBe(undefined);
  });

  test('that were written here are read back although no change is announced: Redis may have lost them', async () => {
    const prefix = keyPrefix();
    const announced = announcedKeys(prefix);
    // As if every announcement were lost, without a sign of that.
    announced.revocations.follow({
      mode: 'tracking',
      covers: () => true,
      get syncedUntil() {
        return performance.now();
      },
    });
    const opened = await openSynced({ prefix, announced });
    // Several, since one of them may be read back before it is lost.
    for (let round = 0; round < 3; round += 1) {
      await opened.revocations.revoke(accessToken());
      await redis.del(`${prefix}revocations`);
    }
    await eventually(
      () => opened.events.includes('lost'),
      () => `${opened.events}`,
      5_000,
    );
  });

  test('take no command of Redis for a verification', async () => {
    const { revocations } = await openSynced();
    await revocations.revoke(accessToken());
    const token = accessToken();
    const lookups = async () => /cmdstat_get:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1];
    const before = await lookups();
    for (let times = 0; times < 1_000; times += 1) expect(revocations.check(token)).toBe(undefined);
    expect(await lookups()).toBe(before);
    expect(revocations.state.lookups).toEqual({ found: 0, stale: 0, failed: 0 });
  });

  test('do not grow in Redis if a token is revoked repeatedly, unless Redis has lost it', async () => {
    const prefix = keyPrefix();
    const { revocations } = await openSynced({ prefix });
    const token = accessToken();
    for (let times = 0; times < 5; times += 1) await revocations.revoke(token);
    expect(await redis.xlen(`${prefix}revocations`)).toBe(1);
    await redis.del(await redis.keys(`${prefix}*`));
    await revocations.revoke(token);
    expect(await redis.keys(`${prefix}*`)).toHaveLength(2);
  });

  test('are completed in Redis if an earlier revocation wrote the key only', async () => {
    const prefix = keyPrefix();
    const [one, two] = [await openSynced({ prefix }), await openSynced({ prefix })];
    const token = accessToken();
    await one.revocations.revoke(token);
    const other = accessToken();
    await redis.rename(`${prefix}revocations`, `${prefix}aside`);
    await one.revocations.revoke(other);
    await redis.rename(`${prefix}aside`, `${prefix}revocations`);
    await two.revocations.revoke(other);
    await untilRevoked(two, other);
    expect(await redis.xlen(`${prefix}revocations`)).toBe(2);
  });

  test('have keys in Redis that contain nothing of a token, and expire with it', async () => {
    const prefix = keyPrefix();
    const { revocations } = await openSynced({ prefix });
    const token = accessToken({ tokenId: 'a\r\nb{c}*', expiresAt: seconds() + 100 });
    await revocations.revoke(token);
    const [key = ''] = await redis.keys(`${prefix}revoked:*`);
    expect(key.slice(prefix.length)).toMatch(/^revoked:jti:[\w-]{43}$/);
    expect(Math.abs((await redis.pttl(key)) - 405_000)).toBeLessThan(30_000);
  });

  describe('while they are being read', () => {
    /** A server that refuses to read the stream. */
    async function openUnread(options: Options = {}) {
      const proxy = await startCommandProxy(node.port);
      onTestFinished(() => proxy.stop());
      proxy.setRule(([command]) => (command?.toUpperCase() === 'XRANGE' ? '-LOADING not yet\r\n' : undefined));
      return { proxy, opened: await open({ port: proxy.port, ...options }) };
    }

    test('are looked up for each token', async () => {
      const prefix = keyPrefix();
      const { opened, proxy } = await openUnread({ prefix });
      const [revoked, other] = [accessToken(), accessToken()];
      await (await openSynced({ prefix })).revocations.revoke(revoked);
      await expect(opened.revocations.check(revoked)).resolves.toBe('is revoked');
      await expect(opened.revocations.check(other)).resolves.toBe(undefined);
      expect(opened.revocations.state).toMatchObject({ entries: 0, lookups: { found: 2 } });
      proxy.setRule(() => undefined);
      await opened.untilSynced();
      expect([opened.revocations.check(revoked), opened.revocations.check(other)]).toEqual(['is revoked', undefined]);
    });

    test('are unknown if Redis does not respond either, and no verification succeeds', async () => {
      const { opened, proxy } = await openUnread();
      proxy.setRule(([command]) => (/^(xrange|get)$/i.test(command ?? '') ? '-LOADING not yet\r\n' : undefined));
      const failure = await Promise.resolve(opened.revocations.check(accessToken())).catch((error: unknown) => error);
      if (!(failure instanceof OAuthError)) throw failure;
      expect([failure.error, failure.headers]).toEqual(['temporarily_unavailable', { 'retry-after': '1' }]);
      expect(failure.code).toBe('revocations_unavailable');
      expect(failure.reason).toMatch(
        /^failed to look up in Redis whether the token is revoked: the server is still loading its data/,
      );
      expect(opened.revocations.state.lookups).toEqual({ found: 0, stale: 0, failed: 1 });
    });

    test.each(['not JSON', '{}'])('count as revoked if the value of a key is %j', async (value) => {
      const prefix = keyPrefix();
      const { opened } = await openUnread({ prefix });
      const token = accessToken();
      await (await openSynced({ prefix })).revocations.revoke(token);
      const [key = ''] = await redis.keys(`${prefix}revoked:*`);
      await redis.set(key, value);
      await expect(opened.revocations.check(token)).resolves.toBe('is revoked');
      await redis.del(key);
      await expect(opened.revocations.check(token)).resolves.toBe(undefined);
      await redis.rpush(key, value);
      await expect(opened.revocations.check(token)).resolves.toBe('is revoked');
    });
  });

  describe('when Redis is unreachable', () => {
    async function openBehindProxy(options: Options) {
      const proxy = await startFaultProxy({ target: { port: node.port } });
      onTestFinished(() => proxy.stop());
      const prefix = keyPrefix();
      const opened = await openSynced({ prefix, port: proxy.port, ...options });
      const revoked = accessToken();
      await opened.revocations.revoke(revoked);
      return { proxy, prefix, opened, revoked };
    }

    const untilOutcome = (opened: OpenedRevocations, expected: string) =>
      eventually(
        async () => (await outcomeOf(opened)) === expected,
        () => `${opened.events}`,
      );

    test.each(['refuse', 'stopForwarding'] as const)(
      'hold for known tokens, and decide others up to the maximum age (%s)',
      async (failure) => {
        const { proxy, opened, revoked, prefix } = await openBehindProxy({ maxAge: 3_000, lookupTimeout: 50 });
        const unrelated = accessToken();
        await proxy[failure]();
        await eventually(
          async () => {
            expect(await outcomeOf(opened, unrelated)).toBe(undefined);
            return opened.revocations.state.lookups.stale > 0;
          },
          () => 'no lookup was stale',
        );
        await expect(opened.revocations.revoke(unrelated)).rejects.toMatchObject({ error: 'temporarily_unavailable' });
        await untilOutcome(opened, 'temporarily_unavailable');
        expect(opened.revocations.state.ageSeconds).toBeGreaterThan(2.9);
        expect(opened.revocations.check(revoked)).toBe('is revoked');
        const meanwhile = accessToken();
        await revoke(prefix, meanwhile.tokenId);
        await proxy.resume();
        await untilRevoked(opened, meanwhile);
        expect(await outcomeOf(opened)).toBe(undefined);
      },
    );

    test('fail at once if they were never read', async () => {
      const opened = await open({ port: 1, lookupTimeout: 50 });
      expect(await outcomeOf(opened)).toBe('temporarily_unavailable');
    });
  });

  describe('after Redis', () => {
    test('has restarted without data hold, and their loss is reported', async () => {
      const opened = await openSynced();
      const token = accessToken();
      await opened.revocations.revoke(token);
      node.kill('SIGKILL');
      expect(opened.revocations.check(token)).toBe('is revoked');
      await eventually(
        () => redis.status !== 'ready',
        () => 'it is still up',
      );
      await node.restart();
      await untilEvent(opened, /^lost$/);
      await opened.untilSynced();
      expect(opened.revocations.check(token)).toBe('is revoked');
      expect(opened.events.filter((event) => event === 'lost')).toHaveLength(1);
    });

    test('was flushed hold, and new ones arrive', async () => {
      const prefix = keyPrefix();
      const [one, two] = [await openSynced({ prefix }), await openSynced({ prefix })];
      const [before, after] = [accessToken(), accessToken()];
      await one.revocations.revoke(before);
      await untilRevoked(two, before);
      await redis.flushall();
      await Promise.all([untilEvent(one, /^lost$/), untilEvent(two, /^lost$/)]);
      await one.revocations.revoke(after);
      await untilRevoked(two, after);
      expect([one.revocations.check(before), two.revocations.check(before)]).toEqual(['is revoked', 'is revoked']);
      // Its own replica has written the lost one again.
      await untilEvent(one, /^restored: 1$/);
      expect(await redis.xlen(`${prefix}revocations`)).toBe(2);
      const started = await openSynced({ prefix });
      expect(started.revocations.check(before)).toBe('is revoked');
    });

    test('has lost a revocation before other replicas have read it are written again', async () => {
      const prefix = keyPrefix();
      const [one, two] = [await openSynced({ prefix }), await openSynced({ prefix })];
      // Several, since the other replica may read one of them in time.
      for (let round = 0; round < 5; round += 1) {
        const token = accessToken();
        await one.revocations.revoke(token);
        await redis.flushall();
        await untilRevoked(two, token);
      }
      expect(one.events.filter((event) => event.startsWith('restored'))).not.toEqual([]);
    });

    test('was only disconnected are not written again', async () => {
      const prefix = keyPrefix();
      const one = await openSynced({ prefix });
      await one.revocations.revoke(accessToken());
      await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await eventually(
        () => one.store.connection.problem !== undefined,
        () => 'it is connected',
      );
      await one.untilSynced();
      await eventually(
        async () => (await outcomeOf(one)) === undefined,
        () => `the stream is not read: ${one.events}`,
      );
      expect(await redis.xlen(`${prefix}revocations`)).toBe(1);
      expect(one.events.filter((event) => event.startsWith('restored'))).toEqual([]);
    });

    test.each([
      ['lower than the last one', '500-0', ['600-0']],
      ['lower and higher than the last one', '500-0', ['600-0', '2000-0']],
      ['equal to the last one', '500-0', ['1000-0']],
    ])('has lost the last writes finds ids that are %s', async (_, first, ids) => {
      const prefix = keyPrefix();
      const [kept, last] = [accessToken(), accessToken()];
      await revoke(prefix, kept.tokenId, first);
      await revoke(prefix, last.tokenId, '1000-0');
      const opened = await openSynced({ prefix });
      expect(opened.revocations.state.entries).toBe(2);
      const added = ids.map(() => accessToken());
      // In one step, as a new master appears.
      const failover = redis.multi().del(`${prefix}revocations`);
      failover.xadd(`${prefix}revocations`, first, 'jti', kept.tokenId, 'exp', inAnHour());
      for (const [index, id] of ids.entries())
        failover.xadd(`${prefix}revocations`, id, 'jti', added[index]?.tokenId ?? '', 'exp', inAnHour());
      await failover.exec();
      for (const token of added) await untilRevoked(opened, token);
      expect([kept, last].map((token) => opened.revocations.check(token))).toEqual(['is revoked', 'is revoked']);
      expect(opened.events).toContain('lost');
    });

    test('has trimmed the stream hold, and nothing counts as lost', async () => {
      const prefix = keyPrefix();
      const opened = await openSynced({ prefix });
      const old = Date.now() - 26 * 3_600_000;
      await redis.xadd(`${prefix}revocations`, `${old}-0`, 'jti', 'old', 'exp', String(seconds() - 60));
      await redis.xadd(`${prefix}revocations`, `${old}-1`, 'jti', 'older', 'exp', String(seconds() - 60));
      await redis.xadd(`${prefix}revocations`, `${old}-2`, 'jti', 'by a wrong clock of Redis', 'exp', inAnHour());
      const token = accessToken();
      await opened.revocations.revoke(token);
      await eventually(
        async () => (await redis.xlen(`${prefix}revocations`)) === 2,
        () => 'it is not trimmed',
      );
      expect(opened.revocations.check(token)).toBe('is revoked');
      await untilRevoked(opened, accessToken({ tokenId: 'by a wrong clock of Redis' }));
      expect(opened.events).toEqual([]);
    });
  });

  test('are looked up while the key of the stream has another type, and read once it has not', async () => {
    const prefix = keyPrefix();
    await redis.set(`${prefix}revocations`, 'x');
    const opened = await open({ prefix });
    await untilEvent(opened, new RegExp(`^feed: the key ${prefix}revocations does not hold a stream: delete it$`));
    const token = accessToken();
    await expect(opened.revocations.check(token)).resolves.toBe(undefined);
    const failure = opened.revocations.revoke(token);
    await expect(failure).rejects.toMatchObject({
      error: 'temporarily_unavailable',
      reason: expect.stringContaining('does not hold a stream: delete it'),
    });
    // The key of the token was written.
    await expect(opened.revocations.check(token)).resolves.toBe('is revoked');
    expect(opened.store.redis.problem).toBe(undefined);
    await redis.del(`${prefix}revocations`);
    await untilEvent(opened, /^feed: undefined$/);
    await opened.untilSynced();
    await opened.revocations.revoke(token);
    expect(await redis.xlen(`${prefix}revocations`)).toBe(1);
  });

  test('skip entries of the stream that are not revocations, and name them', async () => {
    const prefix = keyPrefix();
    const token = accessToken();
    await redis.xadd(`${prefix}revocations`, '5-1', 'x', 'y');
    await redis.xadd(`${prefix}revocations`, '5-2', 'jti', 'a', 'exp', 'soon');
    await redis.xadd(`${prefix}revocations`, '5-3', 'jti', token.tokenId, 'exp', inAnHour());
    const opened = await openSynced({ prefix });
    expect(opened.revocations.check(token)).toBe('is revoked');
    await redis.xadd(`${prefix}revocations`, '5-4', 'issuer', 'y', 'exp', inAnHour());
    await untilEvent(opened, /5-4/);
    expect(opened.events).toEqual(['invalid: 5-1', 'invalid: 5-2', 'invalid: 5-4']);
  });

  describe('that exceed the bound of memory', () => {
    test('are looked up in Redis, and none is ignored', async () => {
      const prefix = keyPrefix();
      const opened = await openSynced({ prefix, maxEntries: 5 });
      const tokens = Array.from({ length: 12 }, () => accessToken());
      const other = await openSynced({ prefix });
      for (const token of tokens) await other.revocations.revoke(token);
      await untilEvent(opened, /^full$/);
      const outcomes = await Promise.all(tokens.map((token) => opened.revocations.check(token)));
      expect(outcomes).toEqual(tokens.map(() => 'is revoked'));
      expect(opened.revocations.state.entries).toBe(5);
      await expect(opened.revocations.check(accessToken())).resolves.toBe(undefined);
    });

    test('fit again once enough have expired, and the stream was read again', async () => {
      const prefix = keyPrefix();
      const soon = String(seconds() + 3);
      for (let count = 0; count < 12; count += 1)
        await redis.xadd(`${prefix}revocations`, '*', 'jti', `token ${count}`, 'exp', soon);
      const opened = await open({ prefix, maxEntries: 5 });
      await untilEvent(opened, /^full$/);
      await eventually(
        () => seconds() > Number(soon),
        () => 'they do not expire',
      );
      opened.store.connection.redis.disconnect(true);
      await untilEvent(opened, /^complete$/);
      expect(opened.revocations.check(accessToken())).toBe(undefined);
      expect(opened.events).toEqual(['full', 'complete']);
    });

    test('are unknown while Redis is unreachable, except those in memory', async () => {
      const proxy = await startFaultProxy({ target: { port: node.port } });
      onTestFinished(() => proxy.stop());
      const prefix = keyPrefix();
      for (let count = 0; count < 12; count += 1) await revoke(prefix, `token ${count}`);
      const opened = await open({ prefix, port: proxy.port, maxEntries: 5, lookupTimeout: 50 });
      await untilEvent(opened, /^full$/);
      await proxy.refuse();
      expect(opened.revocations.check(accessToken({ tokenId: 'token 0' }))).toBe('is revoked');
      await expect(opened.revocations.check(accessToken())).rejects.toMatchObject({ error: 'temporarily_unavailable' });
    });
  });

  test('are read again after the clock was set back', async () => {
    const prefix = keyPrefix();
    const token = accessToken();
    await revoke(prefix, token.tokenId);
    let offset = 7_200_000;
    const opened = await openSynced({ prefix, now: () => Date.now() + offset });
    expect([opened.revocations.state.entries, opened.revocations.check(token)]).toEqual([0, undefined]);
    offset = 0;
    await untilRevoked(opened, token);
  });

  test('are in force up to five minutes after the token has expired, since clocks differ', async () => {
    const prefix = keyPrefix();
    const token = accessToken({ expiresAt: seconds() + 5 });
    const fast = await openSynced({ prefix, now: () => Date.now() + 300_000 });
    const slow = await openSynced({ prefix, now: () => Date.now() - 300_000 });
    await fast.revocations.revoke(token);
    await untilRevoked(slow, token);
    expect(fast.revocations.check(token)).toBe('is revoked');
  });

  test('report once that their keys cannot be read, not for each token', async () => {
    const prefix = keyPrefix();
    const user = prefix.replaceAll(':', '-');
    const allowed = 'hello auth ping info get'.split(' ').map((command) => `+${command}`);
    await sendRedisCommand(node.port, ['ACL', 'SETUSER', user, 'reset', 'on', '>secret', '-@all', ...allowed]);
    const opened = await open({ prefix, user: `${user}:secret@` });
    await untilEvent(opened, /^lookup: /);
    for (const token of [accessToken(), accessToken(), accessToken()]) {
      await expect(opened.revocations.check(token)).rejects.toThrow();
    }
    expect(opened.events.filter((event) => event.startsWith('lookup: '))).toHaveLength(1);
  });

  describe('of a user whose ACL', () => {
    const rules = (prefix: string) => [
      `~${prefix}revocations`,
      `~${prefix}revoked:*`,
      ...'hello auth ping info get set xrange xadd xdel'.split(' ').map((command) => `+${command}`),
    ];
    /** Of a server that lacks a rule: what a check amounts to, whether a token can be revoked, and what is reported. */
    const rows: readonly (readonly [missing: string, check: string, canRevoke: boolean, event: RegExp | undefined])[] =
      [
        ['', 'memory', true, undefined],
        ['+xrange', 'lookup', true, /^feed: the ACL of the user in COUNTERSIGN_REDIS_URL lacks \+xrange \(NOPERM/],
        ['~revocations', 'lookup', false, /^feed: .* lacks the key .*revocations, or its pattern \(NOPERM/],
        ['+get', 'memory', true, /^lookup: .* lacks \+get \(NOPERM/],
        ['~revoked:*', 'memory', false, /^lookup: .* lacks the key .*revoked:\*, or its pattern \(NOPERM/],
        ['+set', 'memory', false, undefined],
        ['+xadd', 'memory', false, undefined],
        ['+xdel', 'memory', true, undefined],
      ];

    test.each(rows)('lacks %j check by %s', async (missing, check, canRevoke, event) => {
      const prefix = keyPrefix();
      const permitted = rules(prefix).filter((rule) => rule !== missing && rule !== missing.replace('~', `~${prefix}`));
      const user = prefix.replaceAll(':', '-');
      const setUser = (...more: readonly string[]) => sendRedisCommand(node.port, ['ACL', 'SETUSER', user, ...more]);
      await setUser('reset', 'on', '>secret', '-@all', ...permitted);
      const opened = await open({ prefix, user: `${user}:secret@`, lookupTimeout: 2_000 });
      if (check === 'memory') await opened.untilSynced();
      if (event) await untilEvent(opened, event);
      const token = accessToken();
      const outcome = opened.revocations.check(token);
      expect(outcome instanceof Promise ? 'lookup' : 'memory').toBe(check);
      expect(await outcome).toBe(undefined);
      const revoked = await opened.revocations.revoke(token).then(
        () => true,
        (error) => String(error.reason),
      );
      expect(revoked).toEqual(canRevoke || expect.stringMatching(/^failed to store the revocation in Redis: .*NOPERM/));
      await setUser(...rules(prefix));
      await opened.untilSynced();
      await opened.revocations.revoke(token);
      await untilRevoked(opened, token);
    });
  });
});
