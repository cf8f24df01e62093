import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningProgram } from '../support/child-process.ts';
import { spawnCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { spawnPiped } from '../support/piped-countersign.ts';
import { programPath } from '../support/program-path.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const COUNT = 4_000;
/** What apply has under way at once. */
const UNDER_WAY = 1_600;

describeWith(['redis-server'], 'Ctrl-C while Redis does not answer', () => {
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
  /** Redis takes no writes any more from when it is this run's turn. */
  const startApply = async () => {
    await redis.client('UNPAUSE');
    const apply = await spawnPiped(['clients', 'apply', '-f', '-'], env());
    apply.write(first);
    await eventually(async () => (await redis.exists('countersign:apply')) === 1, apply.stderr);
    await redis.client('PAUSE', 60_000, 'WRITE');
    apply.feed(others.join(''));
    await isWaitedFor();
    return apply;
  };
  const isWaitedFor = () =>
    eventually(
      async () => String(await redis.client('LIST')).includes(' flags=b '),
      () => 'nobody waits for Redis',
    );
  const says = (program: RunningProgram, text: string) =>
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

  describe('and takes no writes', () => {
    run([]);

    test.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)('%s ends apply after what is under way, and the same command writes the rest', async (signal, code) => {
      const apply = await startApply();
      apply.kill(signal);
      await says(apply, `${signal}: finishing what is under way; once more, and it is left`);
      await redis.client('UNPAUSE');
      expect(await apply.exited).toBe(code);
      const how = `${UNDER_WAY} of ${COUNT} clients were written; running the command again writes the rest`;
      expect(apply.stderr().split('\n').slice(1)).toEqual([`countersign: stopped by ${signal}: ${how}`, '']);
      expect((await redis.keys('countersign:client:*')).length).toBe(UNDER_WAY);
      expect(await redis.exists('countersign:registry')).toBe(0);
      const again = start(['apply', '-f', file]);
      expect(await again.exited).toBe(2);
      expect(again.stdout()).toContain(`${COUNT - UNDER_WAY} written\n`);
    });

    test('a second one ends it at once', async () => {
      const apply = await startApply();
      apply.kill('SIGINT');
      await says(apply, 'once more');
      apply.kill('SIGTERM');
      expect(await apply.exited).toBe(143);
    });

    test('plan ends at once also where it waits for what is written into a pipe', async () => {
      const pipe = join(temporaryDirectory(), 'clients.jsonl');
      execFileSync('mkfifo', [pipe]);
      const plan = start(['plan', '-f', pipe]);
      let writer: number | undefined;
      const isRead = () => {
        try {
          writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
        } catch {
          // Nobody reads it yet.
        }
        return writer !== undefined;
      };
      await eventually(isRead, plan.stderr);
      plan.kill('SIGTERM');
      expect(await plan.exited).toBe(143);
      if (writer !== undefined) closeSync(writer);
    });

    test('export ends at once also where nobody reads the pipe that it writes to', async () => {
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

    test('of some clients one is disabled to the end, and no other', async () => {
      await redis.client('UNPAUSE');
      for (const record of records.slice(0, 3)) {
        await redis.set(`countersign:client:${record.client_id}`, JSON.stringify(record));
      }
      await redis.client('PAUSE', 60_000, 'WRITE');
      const disable = start(['disable', 'c0', 'c1', 'c2', '--output', 'json']);
      await isWaitedFor();
      disable.kill('SIGINT');
      await says(disable, 'once more');
      await redis.client('UNPAUSE');
      expect(await disable.exited).toBe(130);
      expect(disable.stderr()).toContain('1 of 3 clients were looked at; running the command again does the rest\n');
      expect(JSON.parse(disable.stdout())).toEqual({ clients: [{ client_id: 'c0', outcome: 'disabled' }] });
      expect(await redis.get('countersign:client:c1')).toBe(JSON.stringify(records[1]));
    });
  });

  describe('and does not even read', () => {
    // Before Redis 7: a script that reads cannot be told from one that writes.
    run(['--rename-command', 'EVAL_RO', '', '--rename-command', 'EVALSHA_RO', '']);

    test.each([
      [['plan', '-f', file]],
      [['apply', '-f', file]],
      [['list']],
      [['show', 'c0']],
      [['export', '--out', join(folder, 'out.yaml')]],
      [['export', '--output', 'json']],
    ])('%s ends at once, with a line and no half of a file', async (args) => {
      await redis.client('UNPAUSE');
      await redis.set('countersign:client:c0', JSON.stringify(records[0]));
      await redis.client('PAUSE', 60_000, 'WRITE');
      const command = start(args);
      await isWaitedFor();
      command.kill('SIGINT');
      expect(await command.exited).toBe(130);
      expect([command.stdout(), command.stderr()]).toEqual([
        '',
        'countersign: stopped by SIGINT: nothing was changed\n',
      ]);
      expect(readdirSync(folder).filter((name) => name.startsWith('out'))).toEqual([]);
    });
  });
});
