import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RedisConnection } from '../../src/redis/connection.ts';
import { explainProblem } from '../../src/redis/explain.ts';
import { RedisQuestions } from '../../src/redis/guarded-redis.ts';

/** A connection that is up; none of these questions uses it. */
const up = { redis: {}, problem: undefined, explain: explainProblem } as unknown as RedisConnection;
const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
const answers = () => Promise.resolve('answer');
const failsWith = (error: Error) => () => Promise.reject(error);
const lost = failsWith(new Error('Connection is closed.'));
const never = () => new Promise<never>(() => {});

function questions(connection = up) {
  const told: (string | undefined)[] = [];
  return Object.assign(new RedisQuestions(connection, (problem) => told.push(problem)), { told });
}

async function failThreeTimes({ ask }: ReturnType<typeof questions>) {
  for (let times = 0; times < 3; times++) await expect(ask(lost)).rejects.toThrow('the connection was lost');
}

describe('questions do not pile up', () => {
  test('after three failures in a row only eight are under way', async () => {
    const asked = questions();
    await failThreeTimes(asked);
    for (let times = 0; times < 8; times++) asked.ask(never);
    await expect(asked.ask(answers)).rejects.toThrow('8 questions are under way, and it does not answer');
  });

  test('one answer is enough to end that', async () => {
    const asked = questions();
    await failThreeTimes(asked);
    expect(await asked.ask(answers)).toBe('answer');
    for (let times = 0; times < 100; times++) asked.ask(never);
    expect(await asked.ask(answers)).toBe('answer');
  });

  test('what is answered or fails makes room', async () => {
    const { ask } = questions();
    for (let times = 0; times < 6_000; times++) await ask(times % 2 === 0 ? answers : lost).catch(() => {});
    expect(await ask(answers)).toBe('answer');
  });

  test('and never more than 5,000', async () => {
    const { ask } = questions();
    for (let times = 0; times < 5_000; times++) ask(never);
    await expect(ask(answers)).rejects.toThrow('5000 questions are under way');
  });

  test('a refusal is an answer, of which there may be many', async () => {
    const { ask } = questions();
    for (let times = 0; times < 4; times++) await expect(ask(failsWith(reply('NOPERM no')))).rejects.toThrow('NOPERM');
    for (let times = 0; times < 100; times++) ask(never);
    expect(await ask(answers)).toBe('answer');
  });
});

describe('what is known of how Redis answers', () => {
  test('a refusal is told at once, and that it is over a second after the last one', async () => {
    const asked = questions();
    // As where the user may read some keys, and not others.
    for (let times = 0; times < 20; times++) {
      await expect(asked.ask(failsWith(reply('NOPERM no')))).rejects.toThrow('NOPERM');
      await asked.ask(answers);
    }
    expect(asked.told).toEqual([expect.stringContaining('forbids that: NOPERM no')]);
    expect(asked.problem).toBe(asked.told[0]);
    // Also where nobody asks any more, since all that is asked for is at hand.
    await delay(1_050);
    expect([asked.told.slice(1), asked.problem]).toEqual([[undefined], undefined]);
  });

  test('one answer that does not come is no news, three are', async () => {
    const asked = questions();
    await expect(asked.ask(lost)).rejects.toThrow();
    expect(asked.told).toEqual([]);
    await failThreeTimes(asked);
    expect(asked.told).toEqual(['the connection was lost']);
  });

  test('another kind of value is an answer', async () => {
    const asked = questions();
    await expect(asked.ask(failsWith(reply('WRONGTYPE list')))).rejects.toThrow('WRONGTYPE list');
    expect(asked.told).toEqual([]);
  });

  test('what need not be allowed is undefined where it is not', async () => {
    const { askIfAllowed, told } = questions();
    expect(await askIfAllowed(failsWith(reply('NOPERM pttl')))).toBeUndefined();
    expect(await askIfAllowed(answers)).toBe('answer');
    await expect(askIfAllowed(failsWith(reply('LOADING')))).rejects.toThrow('LOADING');
    expect(told).toEqual(['LOADING']);
  });

  test('nothing is asked on a connection that is down', async () => {
    const down = { redis: {}, problem: 'it is away' } as unknown as RedisConnection;
    await expect(questions(down).ask(answers)).rejects.toThrow('it is away');
  });
});

test('of two answers that come together the later one counts', async () => {
  const { ask, told } = questions();
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const answering = [ask(() => first.promise), ask(() => second.promise)];
  first.resolve('answer');
  second.reject(reply('NOPERM no'));
  await Promise.allSettled(answering);
  expect(told).toEqual([expect.stringContaining('NOPERM')]);
});
