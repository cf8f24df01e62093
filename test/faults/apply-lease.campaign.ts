import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type TestContext, test } from 'vitest';
import type { RunningProgram } from '../support/child-process.ts';
import { spawnCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { spawnPiped } from '../support/piped-countersign.ts';
import { programPath } from '../support/program-path.ts';
import { startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const KEY = 'countersign:apply';
/** The turn of one that was killed ends after 15 seconds; another one is waited for 20. */
const TIMEOUT = 60_000;
const recordOf = (clientId: string, digit = 'a') => {
  const certificates = [{ thumbprint: digit.repeat(64) }];
  return `${JSON.stringify({ client_id: clientId, token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates })}\n`;
};
const holder = JSON.stringify({ host: 'build-7', pid: 4711, began: '2026-11-28T04:00:00.000Z', token: 'x' });
const OTHER = 'another apply runs: process 4711 on build-7, since 2026-11-28T04:00:00.000Z';

/** A Redis of its own, since it is paused. */
async function place({ onTestFinished }: TestContext) {
  const folder = temporaryDirectory();
  const server = await startRedis({ program: programPath('redis-server'), directory: folder });
  const redis = new Redis(server.url);
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  const env = { COUNTERSIGN_REDIS_URL: server.url };
  const isFree = async () => (await redis.exists(KEY)) === 0;
  const apply = (clientId: string) => {
    const file = join(folder, `${clientId}.jsonl`);
    writeFileSync(file, recordOf(clientId));
    return spawnCountersign(['clients', 'apply', '-f', file], env);
  };
  /** It is its turn, and it waits for more records. */
  const planning = async () => {
    const started = await spawnPiped(['clients', 'apply', '-f', '-'], env);
    started.write(recordOf('begun', 'b'));
    await eventually(async () => !(await isFree()), started.stderr);
    return started;
  };
  /** It has seen all that stands in Redis, and waits to write. */
  const writing = async (clientId: string) => {
    const started = await planning();
    await redis.client('PAUSE', 60_000, 'WRITE');
    started.feed(recordOf(clientId));
    await eventually(async () => String(await redis.client('LIST')).includes(' flags=b '), started.stderr);
    return started;
  };
  const ids = async () => (await redis.keys('countersign:client:*')).map((key) => key.split(':').at(-1)).sort();
  return { env, folder, redis, isFree, apply, planning, writing, ids };
}

const says = (program: RunningProgram, text: string, milliseconds = 15_000) =>
  eventually(() => program.stderr().includes(text), program.stderr, milliseconds);

// At once: most of the time they wait.
describeWith(['redis-server'], 'countersign clients apply', () => {
  test.concurrent('of two that claim one certificate the second is refused, and names both', async (context) => {
    const { expect } = context;
    const { redis, apply, writing, ids, isFree } = await place(context);
    const first = await writing('first');
    const second = apply('second');
    const waiting = async () => String(await redis.client('LIST')).match(/ flags=b /g)?.length === 2;
    await eventually(waiting, second.stderr);
    await redis.client('UNPAUSE');
    expect([await first.exited, await second.exited]).toEqual([2, 1]);
    expect(second.stderr()).toMatch(/client second \(.*\) and client first \(in Redis\) both claim certificates/);
    expect([await ids(), await isFree()]).toEqual([['begun', 'first'], true]);
  });

  test.concurrent('gets its turn soon after one that was killed', { timeout: TIMEOUT }, async (context) => {
    const { expect } = context;
    const { redis, apply, writing, ids } = await place(context);
    const killed = await writing('killed');
    killed.kill('SIGKILL');
    await killed.exited;
    await redis.client('UNPAUSE');
    const next = apply('next');
    await says(next, `another apply runs: process ${killed.pid} on ${hostname()}, since 20`);
    expect(await next.exited).toBe(2);
    expect(await ids()).toEqual(['next']);
  });

  test.concurrent('gives up where it does not become its turn', { timeout: TIMEOUT }, async (context) => {
    const { expect } = context;
    const { redis, apply, ids } = await place(context);
    await redis.set(KEY, holder);
    const refused = apply('a');
    await says(refused, `countersign: ${OTHER}; waiting up to 20 seconds\n`);
    expect(await refused.exited).toBe(1);
    const how = 'waited 20 seconds, nothing was written';
    expect(refused.stderr().split('\n').slice(1)).toEqual([
      `countersign: ${OTHER}; ${how}: run the command again when it has ended`,
      '',
    ]);
    expect([await ids(), await redis.get(KEY)]).toEqual([[], holder]);
  });

  test.concurrent.for([
    ['no JSON', '\u001b[31m'],
    ['other JSON', '{"host":7}'],
  ] as const)('says so where the key holds %s', async ([, value], context) => {
    const { expect } = context;
    const { redis, apply } = await place(context);
    await redis.set(KEY, value);
    const waiting = apply('a');
    await says(waiting, 'countersign: countersign:apply in Redis is what no apply wrote; waiting up to 20 seconds\n');
    await redis.del(KEY);
    expect(await waiting.exited).toBe(2);
    await redis.lpush(KEY, 'a list');
    const again = apply('a');
    await says(again, 'is what no apply wrote');
    await redis.del(KEY);
    expect(await again.exited).toBe(0);
  });

  test.concurrent('writes nothing more where its turn was taken away', { timeout: TIMEOUT }, async (context) => {
    const { expect } = context;
    const { redis, planning, ids } = await place(context);
    const robbed = await planning();
    await redis.set(KEY, holder);
    // Longer than it takes to be renewed.
    await delay(6_000);
    robbed.feed(recordOf('robbed'));
    expect(await robbed.exited).toBe(1);
    expect(robbed.stderr()).toBe(
      "countersign: countersign:apply in Redis is not this run's any more: another apply may write now, or Redis has lost what it held\n" +
        'countersign: 0 of 2 clients were written; running the command again writes the rest\n',
    );
    expect([await ids(), await redis.get(KEY)]).toEqual([[], holder]);
  });

  test.concurrent('writes nothing more where it was stopped for too long', { timeout: TIMEOUT }, async (context) => {
    const { expect } = context;
    const { redis, apply, writing, ids } = await place(context);
    const stopped = await writing('stopped');
    stopped.kill('SIGSTOP');
    await redis.client('UNPAUSE');
    expect(await apply('meanwhile').exited).toBe(2);
    stopped.kill('SIGCONT');
    expect(await stopped.exited).toBe(1);
    expect(stopped.stderr()).toMatch(/: another apply may write now.*\n.*: 0 of 2 clients were written; /);
    expect(await ids()).toEqual(['meanwhile']);
  });

  test.concurrent('keeps its turn for as long as it takes', { timeout: TIMEOUT }, async (context) => {
    const { expect } = context;
    const { apply, planning, ids } = await place(context);
    const slow = await planning();
    await delay(10_000);
    const second = apply('second');
    await says(second, `another apply runs: process ${slow.pid} `);
    await delay(7_000);
    slow.feed(recordOf('slow'));
    expect([await slow.exited, await second.exited]).toEqual([2, 1]);
    expect(await ids()).toEqual(['begun', 'slow']);
  });

  test.concurrent.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('lets the next one have it after %s', async ([signal, code], context) => {
    const { expect } = context;
    const { redis, apply, planning, isFree } = await place(context);
    const left = await planning();
    left.kill(signal);
    expect([await left.exited, left.stderr()]).toEqual([
      code,
      `countersign: stopped by ${signal}: nothing was changed\n`,
    ]);
    expect(await isFree()).toBe(true);
    // Who waits leaves it to whom it belongs.
    await redis.set(KEY, holder);
    const waiting = apply('a');
    await says(waiting, OTHER);
    waiting.kill(signal);
    expect([await waiting.exited, await redis.get(KEY)]).toEqual([code, holder]);
  });

  test.concurrent('does not keep others waiting for its input', async (context) => {
    const { expect } = context;
    const { env, apply, ids } = await place(context);
    const idle = await spawnPiped(['clients', 'apply', '-f', '-'], env);
    // As one sees in YAML and JSON: it begins to be a record at its end only.
    idle.write(' ');
    expect(await apply('first').exited).toBe(2);
    idle.feed(`[${recordOf('idle', 'b')}]`);
    expect([await idle.exited, await ids()]).toEqual([2, ['first', 'idle']]);
  });

  test.concurrent.for([
    ['a file that is not there', undefined, ': ENOENT'],
    ['a record that is none', '{"client_id":"a"}\n', 'token_endpoint_auth_method is missing'],
  ] as const)('does not wait for another to tell of %s', async ([, content, fault], context) => {
    const { expect } = context;
    const { env, redis, folder } = await place(context);
    await redis.set(KEY, holder);
    const file = join(folder, 'faulty.jsonl');
    if (content !== undefined) writeFileSync(file, content);
    const faulty = spawnCountersign(['clients', 'apply', '-f', file], env);
    expect(await faulty.exited).toBe(1);
    expect(faulty.stderr()).toContain(fault);
    expect(faulty.stderr()).not.toContain('another apply runs');
  });

  test.concurrent('lets the next one have it after a fault', async (context) => {
    const { expect } = context;
    const { planning, isFree } = await place(context);
    const faulty = await planning();
    faulty.feed('{"client_id":"a"}\n');
    expect([await faulty.exited, await isFree()]).toEqual([1, true]);
  });
});
