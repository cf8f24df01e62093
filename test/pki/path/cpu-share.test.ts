import { expect, test } from 'vitest';
import { startCpuTimer } from '../../../src/pki/path/cpu-share.ts';

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
