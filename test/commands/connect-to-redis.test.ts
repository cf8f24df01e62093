import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { spawnCountersign, waitingLine } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';

/** A Redis that accepts connections and never replies, as one whose process is stopped. */
async function startStalledRedis(): Promise<string> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  // Safe: it listens on TCP.
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}/0`;
}

const list = (url: string) =>
  spawnCountersign(['clients', 'list'], { COUNTERSIGN_REDIS_URL: url, COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix() });

test('a command reports that it is waiting for a Redis that does not reply, and then gives up', async () => {
  const url = await startStalledRedis();
  const { exited, stderr } = list(url);
  expect(await exited).toBe(1);
  const problem = 'the server accepts connections but does not respond';
  expect(stderr().split('\n')).toEqual([
    `countersign: waiting for Redis at ${url} …`,
    `countersign: COUNTERSIGN_REDIS_URL: cannot reach Redis at ${url}: ${problem}`,
    '',
  ]);
});

describeWith(['redis-server'], 'a command that has connected to Redis', () => {
  test('no longer reports that it is waiting', async () => {
    const { exited, stdout, stderr } = list(redisUrl());
    await eventually(() => stdout() !== '', stderr);
    // On a busy machine, it may have waited before it printed anything.
    const before = stderr();
    expect(await exited).toBe(0);
    expect(stderr()).toBe(before);
    expect(before.replace(waitingLine, '')).toBe('');
  });
});
