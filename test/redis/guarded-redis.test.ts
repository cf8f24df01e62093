import { describe, expect, test } from 'vitest';
import type { RedisConnection } from '../../src/redis/connection.ts';
import { explainProblem } from '../../src/redis/explain.ts';
import { GuardedRedis } from '../../src/redis/guarded-redis.ts';
import { UnexpectedReplyError } from '../../src/redis/reply-shapes.ts';
import { eventually } from '../support/eventually.ts';

/** A connection that is up. The commands of this file do not use its client. */
const up = { redis: {}, problem: undefined, explain: explainProblem } as unknown as RedisConnection;
const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
const succeeds = () => Promise.resolve('reply');
const failsWith = (error: Error) => () => Promise.reject(error);
const lost = failsWith(new Error('Connection is closed.'));
const hangs = () => new Promise<never>(() => {});

function guard(connection = up) {
  const problems: (string | undefined)[] = [];
  return Object.assign(
    new GuardedRedis(connection, { onProblem: (problem) => void problems.push(problem), onCommand: () => {} }),
    { problems },
  );
}

async function failThreeTimes({ execute }: ReturnType<typeof guard>) {
  for (let times = 0; times < 3; times++) await expect(execute(lost)).rejects.toThrow('connection lost');
}

describe('GuardedRedis bounds the commands in flight:', () => {
  test('eight after three consecutive failures', async () => {
    const guarded = guard();
    await failThreeTimes(guarded);
    for (let times = 0; times < 8; times++) guarded.execute(hangs);
    await expect(guarded.execute(succeeds)).rejects.toThrow('8 commands in flight, and the server does not respond');
  });

  test('the usual number again after one reply', async () => {
    const guarded = guard();
    await failThreeTimes(guarded);
    expect(await guarded.execute(succeeds)).toBe('reply');
    for (let times = 0; times < 100; times++) guarded.execute(hangs);
    expect(await guarded.execute(succeeds)).toBe('reply');
  });

  test('not those that have succeeded or failed', async () => {
    const { execute } = guard();
    for (let times = 0; times < 6_000; times++) await execute(times % 2 === 0 ? succeeds : lost).catch(() => {});
    expect(await execute(succeeds)).toBe('reply');
  });

  test('never more than 5,000', async () => {
    const { execute } = guard();
    for (let times = 0; times < 5_000; times++) execute(hangs);
    await expect(execute(succeeds)).rejects.toThrow('5000 commands in flight');
  });

  test('the usual number after error replies', async () => {
    const { execute } = guard();
    for (let times = 0; times < 4; times++)
      await expect(execute(failsWith(reply('NOPERM no')))).rejects.toThrow('NOPERM');
    for (let times = 0; times < 100; times++) execute(hangs);
    expect(await execute(succeeds)).toBe('reply');
  });
});

describe('GuardedRedis', () => {
  test('reports an error reply at once, and recovery one second after the last one', async () => {
    const guarded = guard();
    // As when the ACL permits only some of the keys.
    for (let times = 0; times < 20; times++) {
      await expect(guarded.execute(failsWith(reply('NOPERM no')))).rejects.toThrow('NOPERM');
      await guarded.execute(succeeds);
    }
    expect(guarded.problems).toEqual([expect.stringContaining('does not permit this (NOPERM no)')]);
    expect(guarded.problem).toBe(guarded.problems[0]);
    // Without further commands, as when all clients are cached.
    await eventually(
      () => guarded.problems.length > 1,
      () => 'the recovery is not reported',
    );
    expect([guarded.problems.slice(1), guarded.problem]).toEqual([[undefined], undefined]);
  });

  test('reports three consecutive failures, and not a single one', async () => {
    const guarded = guard();
    await expect(guarded.execute(lost)).rejects.toThrow();
    expect(guarded.problems).toEqual([]);
    await failThreeTimes(guarded);
    expect(guarded.problems).toEqual(['connection lost']);
  });

  test('reports a malformed reply at once', async () => {
    const guarded = guard();
    const malformed = failsWith(new UnexpectedReplyError('unexpected reply to GET'));
    await expect(guarded.execute(malformed)).rejects.toThrow('unexpected reply to GET');
    expect(guarded.problems).toEqual([expect.stringContaining('unexpected reply to GET')]);
  });

  test('reports an error reply that follows a lost connection', async () => {
    const guarded = guard();
    await failThreeTimes(guarded);
    await expect(guarded.execute(failsWith(reply('NOAUTH required')))).rejects.toThrow('NOAUTH');
    expect(guarded.problems).toEqual(['connection lost', expect.stringContaining('authentication failed')]);
  });

  test('does not report a WRONGTYPE reply', async () => {
    const guarded = guard();
    await expect(guarded.execute(failsWith(reply('WRONGTYPE list')))).rejects.toThrow('WRONGTYPE list');
    expect(guarded.problems).toEqual([]);
  });

  test('executeIfPermitted resolves with undefined when the ACL denies the command', async () => {
    const { executeIfPermitted, problems } = guard();
    expect(await executeIfPermitted(failsWith(reply('NOPERM pttl')))).toBeUndefined();
    expect(await executeIfPermitted(succeeds)).toBe('reply');
    await expect(executeIfPermitted(failsWith(reply('LOADING')))).rejects.toThrow('LOADING');
    expect(problems).toEqual(['the server is still loading its data (LOADING)']);
  });

  test('sends no command while the connection is down', async () => {
    const down = { redis: {}, problem: 'connection lost' } as unknown as RedisConnection;
    await expect(guard(down).execute(succeeds)).rejects.toThrow('connection lost');
  });
});

test('GuardedRedis reports the last of two outcomes that arrive together', async () => {
  const { execute, problems } = guard();
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const commands = [execute(() => first.promise), execute(() => second.promise)];
  first.resolve('reply');
  second.reject(reply('NOPERM no'));
  await Promise.allSettled(commands);
  expect(problems).toEqual([expect.stringContaining('NOPERM')]);
});
