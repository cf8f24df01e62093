import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineScript } from '../../../src/redis/commands/script.ts';
import { describeWith } from '../../support/describe-with.ts';
import { programPath } from '../../support/program-path.ts';
import { type RunningRedis, startRedis } from '../../support/redis-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describeWith(['redis-server'], 'a read-only script on Redis before 7', () => {
  let server: RunningRedis;
  let redis: Redis;
  beforeAll(async () => {
    const args = ['EVAL_RO', 'EVALSHA_RO'].flatMap((command) => ['--rename-command', command, '']);
    server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory(), args });
    redis = new Redis(server.port);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  test('runs when many start before the first knows that EVALSHA_RO does not exist', async () => {
    const run = defineScript(redis, 'return KEYS[1]', { readsOnly: true });
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    expect(await Promise.all(keys.map((key) => run([key])))).toEqual(keys);
  });
});
