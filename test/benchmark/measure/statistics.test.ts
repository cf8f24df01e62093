import { expect, test } from 'vitest';
import { latencyOf, quantile, spreadOf } from './statistics.ts';

test.each([
  [0, 1],
  [0.5, 50],
  [0.99, 99],
  [0.999, 100],
  [1, 100],
])('the quantile %d of 1 to 100 is %d', (share, expected) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(quantile(values, share)).toBe(expected);
});

test('a quantile does not reorder its values', () => {
  const values = [3, 1, 2];
  quantile(values, 0.5);
  expect(values).toEqual([3, 1, 2]);
});

test('a quantile requires values', () => {
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});

test('a spread has the median, the lowest and the highest value', () => {
  expect(spreadOf([9, 1, 5, 7, 3])).toEqual({ median: 5, lowest: 1, highest: 9 });
  expect(spreadOf([8, 1, 4, 2])).toEqual({ median: 3, lowest: 1, highest: 8 });
});

test('a latency has the values that 50, 99 and 99.9 % of the requests do not exceed', () => {
  const values = Float64Array.from({ length: 1_000 }, (_, index) => index + 1);
  expect(latencyOf(values)).toEqual({ p50: 500, p99: 990, p999: 999 });
});
