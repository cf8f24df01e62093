import { expect, test } from 'vitest';
import { createTimeFormatter } from '../../src/observability/time-formatter.ts';

test('a time formatter returns the text of each time, repeated or not', () => {
  const format = createTimeFormatter();
  const times = [0, 0, 1, 1_800_000_000_000, 1_800_000_000_000, -1, 0];
  expect(times.map(format)).toEqual(times.map((time) => new Date(time).toISOString()));
});
