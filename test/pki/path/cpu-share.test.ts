import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { recentCpuUsage, startCpuTimer } from '../../../src/pki/path/cpu-share.ts';
import { SearchQueue } from '../../../src/pki/path/search-queue.ts';

const data = Buffer.alloc(4_096);
/** Takes about 0.01 ms. */
const step = () => createHash('sha256').update(data).digest();

test('startCpuTimer does not count while the thread waits', () => {
  const used = startCpuTimer();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  expect(used()).toBeLessThan(200);
});

test('startCpuTimer counts while the thread computes, and no more than has elapsed', () => {
  const start = performance.now();
  const used = startCpuTimer();
  while (used() < 5);
  expect(used()).toBeLessThanOrEqual(performance.now() - start);
});

test('startCpuTimer counts in many short computations what it counts in a long one', async () => {
  const SHORT = 60;
  const compute = (times: number) => {
    const used = startCpuTimer();
    for (let done = 0; done < 25 * times; done++) step();
    return used();
  };
  let sum = 0;
  for (let index = 0; index < SHORT; index++) {
    // Between two requests, the thread waits.
    await delay(1 + (index % 4));
    sum += compute(1);
  }
  expect(sum).toBeGreaterThan(compute(SHORT) / 2);
});

test('a search in the queue is interrupted after half a millisecond of CPU time', async () => {
  let slices = 0;
  let isInSlice = false;
  const search = function* () {
    for (let done = 0; done < 2_000; done++) {
      if (!isInSlice) {
        slices += 1;
        isInSlice = true;
        setImmediate(() => {
          isInSlice = false;
        });
      }
      step();
      yield;
    }
  };
  const before = process.threadCpuUsage();
  await new SearchQueue<void>(() => true).run('long', search);
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1_000 / slices).toBeLessThan(1);
});

test('what the process has used is read at most once in a millisecond', () => {
  const start = performance.now();
  const readings = new Set<NodeJS.CpuUsage>();
  while (performance.now() - start < 20) readings.add(recentCpuUsage());
  expect(readings.size).toBeGreaterThan(1);
  expect(readings.size).toBeLessThanOrEqual(performance.now() - start + 1);
});
