import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createRetry } from '../../src/redis/reconnect.ts';

test('what fails several times meanwhile is tried once, and not at all once it is over', async () => {
  let tries = 0;
  const retry = createRetry(() => {
    tries += 1;
  });
  for (let times = 0; times < 10; times += 1) retry.failed();
  await delay(250);
  expect(tries).toBe(1);
  retry.failed();
  retry.succeeded();
  await delay(300);
  expect(tries).toBe(1);
  retry.failed();
  retry.stop();
  retry.failed();
  await delay(250);
  expect(tries).toBe(1);
});
