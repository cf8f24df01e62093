import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RedisConnection } from '../../src/redis/connection.ts';
import { explainProblem } from '../../src/redis/explain.ts';
import { GuardedRedis } from '../../src/redis/guarded-redis.ts';

/** A connection that is up; none of these questions uses it. */
const up = { redis: {}, problem: undefined, explain: explainProblem } as unknown as RedisConnection;
const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
const answers = () => Promise.resolve('answer');
const failsWith = (error: Error) => () => Promise.reject(error);
const lost = failsWith(new Error('Connection is closed.'));
const never = () => new Promise<never>(() => {});

function questions(connection = up) {
  const told: (string | undefined)[] = [];
  return Object.assign(new GuardedRedis(connection, (problem) => told.push(problem)), { told });
}

async function failThreeTimes({ execute }: ReturnType<typeof questions>) {
  for (let times = 0; times < 3; times++) await expect(execute(lost)).rejects.toThrow('the connection was lost');
}

describe('questions do not pile up', () => {
  test('after three failures in a row only eight are under way', async () => {
    const asked = questions();
    await failThreeTimes(asked);
    for (let times = 0; times < 8; times++) asked.execute(never);
    await expect(asked.execute(answers)).rejects.toThrow('8 questions are under way, and it does not answer');
  });

  test('one answer is enough to end that', async () => {
    const asked = questions();
    await failThreeTimes(asked);
    expect(await asked.execute(answers)).toBe('answer');
    for (let times = 0; times < 100; times++) asked.execute(never);
    expect(await asked.execute(answers)).toBe('answer');
  });

  test('what is answered or fails makes room', async () => {
    const { execute } = questions();
    for (let times = 0; times < 6_000; times++) await execute(times % 2 === 0 ? answers : lost).catch(() => {});
    expect(await execute(answers)).toBe('answer');
  });

  test('and never more than 5,000', async () => {
    const { execute } = questions();
    for (let times = 0; times < 5_000; times++) execute(never);
    await expect(execute(answers)).rejects.toThrow('5000 questions are under way');
  });

  test('a refusal is an answer, of which there may be many', async () => {
    const { execute } = questions();
    for (let times = 0; times < 4; times++)
      await expect(execute(failsWith(reply('NOPERM no')))).rejects.toThrow('NOPERM');
    for (let times = 0; times < 100; times++) execute(never);
    expect(await execute(answers)).toBe('answer');
  });
});

describe('what is known of how Redis answers', () => {
  test('a refusal is told at once, and that it is over a second after the last one', async () => {
    const asked = questions();
    // As where the user may read some keys, and not others.
    for (let times = 0; times < 20; times++) {
      await expect(asked.execute(failsWith(reply('NOPERM no')))).rejects.toThrow('NOPERM');
      await asked.execute(answers);
    }
    expect(asked.told).toEqual([expect.stringContaining('forbids that: NOPERM no')]);
    expect(asked.problem).toBe(asked.told[0]);
    // Also where nobody asks any more, since all that is asked for is at hand.
    await delay(1_050);
    expect([asked.told.slice(1), asked.problem]).toEqual([[undefined], undefined]);
  });

  test('one answer that does not come is no news, three are', async () => {
    const asked = questions();
    await expect(asked.execute(lost)).rejects.toThrow();
    expect(asked.told).toEqual([]);
    await failThreeTimes(asked);
    expect(asked.told).toEqual(['the connection was lost']);
  });

  test('another kind of value is an answer', async () => {
    const asked = questions();
    await expect(asked.execute(failsWith(reply('WRONGTYPE list')))).rejects.toThrow('WRONGTYPE list');
    expect(asked.told).toEqual([]);
  });

  test('what need not be allowed is undefined where it is not', async () => {
    const { executeIfPermitted, told } = questions();
    expect(await executeIfPermitted(failsWith(reply('NOPERM pttl')))).toBeUndefined();
    expect(await executeIfPermitted(answers)).toBe('answer');
    await expect(executeIfPermitted(failsWith(reply('LOADING')))).rejects.toThrow('LOADING');
    expect(told).toEqual(['LOADING']);
  });

  test('nothing is asked on a connection that is down', async () => {
    const down = { redis: {}, problem: 'it is away' } as unknown as RedisConnection;
    await expect(questions(down).execute(answers)).rejects.toThrow('it is away');
  });
});

test('of two answers that come together the later one counts', async () => {
  const { execute, told } = questions();
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const answering = [execute(() => first.promise), execute(() => second.promise)];
  first.resolve('answer');
  second.reject(reply('NOPERM no'));
  await Promise.allSettled(answering);
  expect(told).toEqual([expect.stringContaining('NOPERM')]);
});
