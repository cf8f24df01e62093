import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningProgram } from '../support/child-process.ts';
import { spawnCountersign, waitingLine } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { spawnPiped } from '../support/piped-countersign.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const COUNT = 4_000;
/** How many writes apply has in flight at once; fewer, if it was suspended while it sent them. */
const IN_FLIGHT = 1_600;
const STOPPED = / (\d+) of \d+ records were written; /;
const stoppedAfter = (written: number) =>
  `${written} of ${COUNT} records were written; running the command again writes the rest`;

const stderrOf = (program: RunningProgram) => program.stderr().replace(waitingLine, '');

describeWith(['redis-server'], 'Ctrl-C while Redis does not reply', () => {
  const folder = temporaryDirectory();
  const file = join(folder, 'clients.jsonl');
  const records = Array.from({ length: COUNT }, (_, number) => ({
    client_id: `c${number}`,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: `c${number}.example`,
  }));
  let server: RunningRedis;
  let redis: Redis;
  const env = () => ({ COUNTERSIGN_REDIS_URL: server.url });
  const start = (args: readonly string[]) => spawnCountersign(['clients', ...args], env());
  const [first = '', ...others] = records.map((record) => `${JSON.stringify(record)}\n`);
  const content = [first, ...others].join('');
  /** Redis blocks writes once the run has acquired the lock. */
  const startApply = async () => {
    await redis.client('UNPAUSE');
    const apply = await spawnPiped(['clients', 'apply', '-f', '-'], env());
    apply.write(first);
    await eventually(async () => (await redis.exists('countersign:apply')) === 1, apply.stderr);
    await redis.client('PAUSE', 60_000, 'WRITE');
    apply.feed(others.join(''));
    await haveArrived();
    return apply;
  };
  /** Redis has received all writes in flight, not only that which renews the lock: those behind the first one wait. */
  const haveArrived = async () => {
    let before: string | undefined;
    await eventually(
      async () => {
        const [, waiting] = / flags=b .* qbuf=([1-9]\d*) /.exec(String(await redis.client('LIST'))) ?? [];
        const areAll = waiting !== undefined && waiting === before;
        before = waiting;
        if (!areAll) await delay(300);
        return areAll;
      },
      () => 'no write waits in Redis',
    );
  };
  const isBlocked = () =>
    eventually(
      async () => String(await redis.client('LIST')).includes(' flags=b '),
      () => 'no client is blocked by Redis',
    );
  const prints = (program: RunningProgram, text: string) =>
    eventually(() => program.stderr().includes(text), program.stderr);
  const run = (args: readonly string[]) => {
    beforeAll(async () => {
      server = await startRedis({ program: programPath('redis-server'), directory: folder, args });
      redis = new Redis(server.url);
    });
    beforeEach(async () => {
      await redis.flushall();
      await redis.client('PAUSE', 60_000, 'WRITE');
    });
    afterEach(() => redis.client('UNPAUSE'));
    afterAll(async () => {
      redis?.disconnect();
      await server?.stop();
    });
  };
  beforeAll(() => writeFileSync(file, content));

  describe('to writes', () => {
    run([]);

    test.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)(
      '%s stops apply after the writes in flight, and the same command writes the rest',
      async (signal, code) => {
        const apply = await startApply();
        apply.kill(signal);
        await prints(apply, `${signal}: finishing writes in flight; press Ctrl-C again to abort`);
        await redis.client('UNPAUSE');
        expect(await apply.exited).toBe(code);
        const [how = '', ...more] = stderrOf(apply).split('\n').slice(1);
        const [, count = ''] = STOPPED.exec(how) ?? [];
        expect([how, more]).toEqual([`countersign: stopped by ${signal}: ${stoppedAfter(Number(count))}`, ['']]);
        const written = (await redis.keys('countersign:client:*')).length;
        expect(written).toBe(Number(count));
        expect(written).toBeGreaterThan(0);
        expect(written).toBeLessThanOrEqual(IN_FLIGHT);
        expect(await redis.exists('countersign:registry')).toBe(0);
        const again = start(['apply', '-f', file]);
        expect(await again.exited).toBe(0);
        expect(again.stdout()).toContain(`${COUNT - written} written\n`);
      },
    );

    test('a second signal ends apply at once', async () => {
      const apply = await startApply();
      apply.kill('SIGINT');
      await prints(apply, 'press Ctrl-C again');
      apply.kill('SIGTERM');
      expect(await apply.exited).toBe(143);
    });

    test('SIGTERM ends plan at once while it waits for input from a pipe', async () => {
      const pipe = join(temporaryDirectory(), 'clients.jsonl');
      execFileSync('mkfifo', [pipe]);
      const plan = start(['plan', '-f', pipe]);
      let writer: number | undefined;
      const isRead = () => {
        try {
          writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
        } catch {
          // It has no reader yet.
        }
        return writer !== undefined;
      };
      await eventually(isRead, plan.stderr);
      plan.kill('SIGTERM');
      expect(await plan.exited).toBe(143);
      if (writer !== undefined) closeSync(writer);
    });

    test('SIGINT ends export at once while it waits for a reader of its pipe', async () => {
      await redis.client('UNPAUSE');
      await redis.set('countersign:client:c0', JSON.stringify(records[0]));
      const pipe = join(temporaryDirectory(), 'clients.yaml');
      execFileSync('mkfifo', [pipe]);
      const program = start(['export', '--out', pipe]);
      await eventually(async () => String(await redis.client('LIST')).split('\n').length > 2, program.stderr);
      await delay(300);
      program.kill('SIGINT');
      expect(await program.exited).toBe(130);
    });

    test('SIGINT lets disable finish the client in progress, and no other', async () => {
      await redis.client('UNPAUSE');
      for (const record of records.slice(0, 3)) {
        await redis.set(`countersign:client:${record.client_id}`, JSON.stringify(record));
      }
      await redis.client('PAUSE', 60_000, 'WRITE');
      const disable = start(['disable', 'c0', 'c1', 'c2', '--output', 'json']);
      await isBlocked();
      disable.kill('SIGINT');
      await prints(disable, 'press Ctrl-C again');
      await redis.client('UNPAUSE');
      expect(await disable.exited).toBe(130);
      expect(disable.stderr()).toContain(
        '1 of 3 clients were processed; running the command again processes the rest\n',
      );
      expect(JSON.parse(disable.stdout())).toEqual({ clients: [{ client_id: 'c0', outcome: 'disabled' }] });
      expect(await redis.get('countersign:client:c1')).toBe(JSON.stringify(records[1]));
    });
  });

  describe('to reads and writes', () => {
    // Before Redis 7, scripts that read cannot be distinguished from scripts that write.
    run(['--rename-command', 'EVAL_RO', '', '--rename-command', 'EVALSHA_RO', '']);

    test.each([
      [['plan', '-f', file]],
      [['apply', '-f', file]],
      [['list']],
      [['show', 'c0']],
      [['export', '--out', join(folder, 'out.yaml')]],
      [['export', '--output', 'json']],
    ])('SIGINT ends %s at once, with a message and without a partial file', async (args) => {
      await redis.client('UNPAUSE');
      await redis.set('countersign:client:c0', JSON.stringify(records[0]));
      await redis.client('PAUSE', 60_000, 'WRITE');
      const command = start(args);
      await isBlocked();
      command.kill('SIGINT');
      expect(await command.exited).toBe(130);
      expect([command.stdout(), stderrOf(command)]).toEqual([
        '',
        'countersign: stopped by SIGINT: nothing was changed\n',
      ]);
      expect(readdirSync(folder).filter((name) => name.startsWith('out'))).toEqual([]);
    });
  });
});
