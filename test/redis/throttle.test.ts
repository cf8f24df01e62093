import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { throttleStatus } from '../../src/redis/throttle.ts';

function throttled() {
  const reported: (string | undefined)[] = [];
  return { report: throttleStatus((problem) => reported.push(problem)), reported };
}

describe('throttleStatus', () => {
  test('reports a problem and its end once, although the connection comes and goes', () => {
    const { report, reported } = throttled();
    for (let times = 0; times < 100; times++) {
      report('lost');
      report(undefined);
    }
    expect(reported).toEqual(['lost', undefined]);
  });

  test('reports another problem during an outage', () => {
    const { report, reported } = throttled();
    for (const problem of ['lost', 'refused', 'lost', 'refused', undefined]) report(problem);
    expect(reported).toEqual(['lost', 'refused', undefined]);
  });

  test('reports the same problem again after a recovery', async () => {
    const { report, reported } = throttled();
    for (const problem of [undefined, 'lost', undefined]) report(problem);
    await delay(1_050);
    for (const problem of ['lost', undefined]) report(problem);
    expect(reported).toEqual([undefined, 'lost', undefined, 'lost', undefined]);
  });

  test('reports at most 20 problems a minute, so that requests cannot fill the log', () => {
    const { report, reported } = throttled();
    for (let id = 0; id < 100; id++) report(`the ACL lacks the key ${id}`);
    expect(reported).toHaveLength(20);
  });
});
