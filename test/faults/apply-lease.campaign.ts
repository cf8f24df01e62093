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
const recordOf = (clientId: string, digit = 'a') => {
  const certificates = [{ thumbprint: digit.repeat(64) }];
  return `${JSON.stringify({ client_id: clientId, token_endpoint_auth_method: 'self_signed_tls_client_auth', certificates })}\n`;
};
const owner = JSON.stringify({ host: 'build-7', pid: 4711, started_at: '2026-11-28T04:00:00.000Z', token: 'x' });
const OTHER = 'another apply is running: process 4711 on build-7, since 2026-11-28T04:00:00.000Z';

/** A Redis of its own, since it is paused. */
async function place({ onTestFinished }: TestContext) {
  const folder = temporaryDirectory();
  const server = await startRedis({ program: programPath('redis-server'), directory: folder });
  const redis = new Redis(server.url);
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  const env = { COUNTERSIGN_REDIS_URL: server.url, COUNTERSIGN_UNIQUE_CERTIFICATES: 'true' };
  const isFree = async () => (await redis.exists(KEY)) === 0;
  const apply = (clientId: string) => {
    const file = join(folder, `${clientId}.jsonl`);
    writeFileSync(file, recordOf(clientId));
    return spawnCountersign(['clients', 'apply', '-f', file], env);
  };
  /** It holds the lock, and waits for more records. */
  const planning = async () => {
    const started = await spawnPiped(['clients', 'apply', '-f', '-'], env);
    started.write(recordOf('begun', 'b'));
    await eventually(async () => !(await isFree()), started.stderr);
    return started;
  };
  /** It has compared all records, and waits to write. */
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

const prints = (program: RunningProgram, text: string, milliseconds = 15_000) =>
  eventually(() => program.stderr().includes(text), program.stderr, milliseconds);

/** Without the lines of a command that takes long, as on a busy machine. */
const problems = (program: RunningProgram) =>
  program
    .stderr()
    .split('\n')
    .filter((line) => !/^countersign: waiting for Redis at |^(?:\[.* of )?\d+ records /.test(line));

// Concurrently, since they mostly wait.
describeWith(['redis-server'], 'countersign clients apply', () => {
  test.concurrent('rejects the second of two runs whose clients share a certificate that must be unique', async (context) => {
    const { expect } = context;
    const { redis, apply, writing, ids, isFree } = await place(context);
    const first = await writing('first');
    const second = apply('second');
    const waiting = async () => String(await redis.client('LIST')).match(/ flags=b /g)?.length === 2;
    await eventually(waiting, second.stderr);
    await redis.client('UNPAUSE');
    expect([await first.exited, await second.exited]).toEqual([0, 1]);
    expect(second.stderr()).toMatch(
      /is shared by 2 clients: second \(.*\), first \(in Redis\), and COUNTERSIGN_UNIQUE_CERTIFICATES/,
    );
    expect([await ids(), await isFree()]).toEqual([['begun', 'first'], true]);
  });

  test.concurrent('acquires the lock soon after its owner was killed', async (context) => {
    const { expect } = context;
    const { redis, apply, writing, ids } = await place(context);
    const killed = await writing('killed');
    killed.kill('SIGKILL');
    await killed.exited;
    await redis.client('UNPAUSE');
    const next = apply('next');
    await prints(next, `another apply is running: process ${killed.pid} on ${hostname()}, since 20`);
    expect(await next.exited).toBe(0);
    expect(await ids()).toEqual(['next']);
  });

  test.concurrent('fails when it cannot acquire the lock within 20 seconds', async (context) => {
    const { expect } = context;
    const { redis, apply, ids } = await place(context);
    await redis.set(KEY, owner);
    const rejected = apply('a');
    await prints(rejected, `countersign: ${OTHER}; waiting up to 20 seconds\n`);
    expect(await rejected.exited).toBe(1);
    expect(problems(rejected).slice(1)).toEqual([
      `countersign: ${OTHER}; waited 20 seconds: run the command again when it has ended`,
      'countersign: Nothing was written.',
      '',
    ]);
    expect([await ids(), await redis.get(KEY)]).toEqual([[], owner]);
  });

  test.concurrent.for([
    ['invalid JSON', '\u001b[31m'],
    ['other JSON', '{"host":7}'],
  ] as const)('reports a key that contains %s', async ([, value], context) => {
    const { expect } = context;
    const { redis, apply } = await place(context);
    await redis.set(KEY, value);
    const waiting = apply('a');
    await prints(
      waiting,
      'countersign: countersign:apply in Redis was not written by apply; waiting up to 20 seconds\n',
    );
    await redis.del(KEY);
    expect(await waiting.exited).toBe(0);
    await redis.lpush(KEY, 'a list');
    const again = apply('a');
    await prints(again, 'was not written by apply');
    await redis.del(KEY);
    expect(await again.exited).toBe(0);
  });

  test.concurrent('writes nothing more when another run has acquired the lock', async (context) => {
    const { expect } = context;
    const { redis, planning, ids } = await place(context);
    const ousted = await planning();
    await redis.set(KEY, owner);
    // Longer than the renewal interval.
    await delay(6_000);
    ousted.feed(recordOf('ousted'));
    expect(await ousted.exited).toBe(1);
    expect(problems(ousted)).toEqual([
      'countersign: countersign:apply in Redis no longer belongs to this run: another apply may be writing now, or Redis has lost its data',
      'countersign: 0 of 2 records were written; running the command again writes the rest',
      '',
    ]);
    expect([await ids(), await redis.get(KEY)]).toEqual([[], owner]);
  });

  test.concurrent('writes nothing more when it was suspended for too long', async (context) => {
    const { expect } = context;
    const { redis, apply, writing, ids } = await place(context);
    const stopped = await writing('stopped');
    stopped.kill('SIGSTOP');
    await redis.client('UNPAUSE');
    expect(await apply('meanwhile').exited).toBe(0);
    stopped.kill('SIGCONT');
    expect(await stopped.exited).toBe(1);
    expect(stopped.stderr()).toMatch(/: another apply may be writing now.*\n.*: 0 of 2 records were written; /);
    expect(await ids()).toEqual(['meanwhile']);
  });

  test.concurrent('renews the lock for as long as it runs', async (context) => {
    const { expect } = context;
    const { apply, planning, ids } = await place(context);
    const slow = await planning();
    await delay(10_000);
    const second = apply('second');
    await prints(second, `another apply is running: process ${slow.pid} `);
    await delay(7_000);
    slow.feed(recordOf('slow'));
    expect([await slow.exited, await second.exited]).toEqual([0, 1]);
    expect(await ids()).toEqual(['begun', 'slow']);
  });

  test.concurrent.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('releases the lock after %s', async ([signal, code], context) => {
    const { expect } = context;
    const { redis, apply, planning, isFree } = await place(context);
    const left = await planning();
    left.kill(signal);
    expect([await left.exited, problems(left)]).toEqual([
      code,
      [`countersign: stopped by ${signal}: nothing was changed`, ''],
    ]);
    expect(await isFree()).toBe(true);
    // A waiting run leaves the lock to its owner.
    await redis.set(KEY, owner);
    const waiting = apply('a');
    await prints(waiting, OTHER);
    waiting.kill(signal);
    expect([await waiting.exited, await redis.get(KEY)]).toEqual([code, owner]);
  });

  test.concurrent('does not acquire the lock while it waits for input', async (context) => {
    const { expect } = context;
    const { env, apply, ids } = await place(context);
    const idle = await spawnPiped(['clients', 'apply', '-f', '-'], env);
    // YAML and JSON are parsed at the end of the input.
    idle.write(' ');
    expect(await apply('first').exited).toBe(0);
    idle.feed(`[${recordOf('idle', 'b')}]`);
    expect([await idle.exited, await ids()]).toEqual([0, ['first', 'idle']]);
  });

  test.concurrent.for([
    ['a missing file', undefined, ': no such file or directory'],
    ['an invalid record', '{"client_id":"a"}\n', 'token_endpoint_auth_method: is missing'],
  ] as const)('reports %s without waiting for the lock', async ([, content, problem], context) => {
    const { expect } = context;
    const { env, redis, folder } = await place(context);
    await redis.set(KEY, owner);
    const file = join(folder, 'invalid.jsonl');
    if (content !== undefined) writeFileSync(file, content);
    const failing = spawnCountersign(['clients', 'apply', '-f', file], env);
    expect(await failing.exited).toBe(1);
    expect(failing.stderr()).toContain(problem);
    expect(failing.stderr()).not.toContain('another apply is running');
  });

  test.concurrent('releases the lock after an invalid record', async (context) => {
    const { expect } = context;
    const { planning, isFree } = await place(context);
    const failing = await planning();
    failing.feed('{"client_id":"a"}\n');
    expect([await failing.exited, await isFree()]).toEqual([1, true]);
  });
});
