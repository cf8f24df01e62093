import { expect, test } from 'vitest';
import { createLineBudget } from '../../src/observability/line-budget.ts';

test('a line budget permits ten lines a second, and counts those between them', () => {
  let now = 0;
  const leftOut = createLineBudget(() => now);
  expect(Array.from({ length: 12 }, leftOut)).toEqual([...new Array(10).fill(0), undefined, undefined]);
  now = 1_000;
  expect([leftOut(), leftOut()]).toEqual([2, 0]);
});
