import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createRetry } from '../../src/redis/reconnect.ts';

test('createRetry attempts once after several failures, and not at all after success or stop', async () => {
  let attempts = 0;
  const retry = createRetry(() => {
    attempts += 1;
  });
  for (let times = 0; times < 10; times += 1) retry.failed();
  await delay(250);
  expect(attempts).toBe(1);
  retry.failed();
  retry.succeeded();
  await delay(300);
  expect(attempts).toBe(1);
  retry.failed();
  retry.stop();
  retry.failed();
  await delay(250);
  expect(attempts).toBe(1);
});
