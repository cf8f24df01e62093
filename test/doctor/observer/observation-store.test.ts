import { expect, test } from 'vitest';
import { createObservationStore, WATCH_TTL_SECONDS } from '../../../src/doctor/observer/observation-store.ts';

let now = 0;
const observationStore = () => createObservationStore<string>(() => now);
const tagged = (id: string) => () => [{ id }];

test('the observation store keeps observations of watched ids only', () => {
  const { watch, findWatched, add, read } = observationStore();
  expect(findWatched(() => expect.unreachable('no watch is active'))).toBeUndefined();
  watch('a');
  expect(findWatched(tagged('b'))).toBeUndefined();
  expect(findWatched(() => [{ id: 'b' }, { id: 'a', more: 1 }])).toEqual({ id: 'a', more: 1 });
  add('a', 'one');
  add('b', 'two');
  expect([read('a'), read('b')]).toEqual([['one'], undefined]);
  watch('a');
  expect(read('a')).toEqual([]);
});

test('a watch expires 120 seconds after it was last read or written', () => {
  const { watch, findWatched, add, read } = observationStore();
  const wait = (seconds: number) => {
    now += seconds * 1000;
  };
  watch('a');
  wait(WATCH_TTL_SECONDS);
  add('a', 'one');
  wait(WATCH_TTL_SECONDS);
  expect(read('a')).toEqual(['one']);
  wait(WATCH_TTL_SECONDS);
  expect(findWatched(tagged('a'))).toBeDefined();
  wait(1);
  expect([findWatched(tagged('a')), read('a')]).toEqual([undefined, undefined]);
});

test('the ninth watch evicts the one that was idle for longest', () => {
  const { watch, read } = observationStore();
  const ids = ['1', '2', '3', '4', '5', '6', '7', '8'];
  for (const id of ids) watch(id);
  expect(read('1')).toEqual([]);
  watch('9');
  expect([...ids, '9'].filter((id) => read(id) === undefined)).toEqual(['2']);
});

test('a watch is limited to 256 observations and 1 MiB', () => {
  const { watch, add, read } = observationStore();
  watch('many');
  watch('large');
  for (let i = 0; i < 300; i += 1) add('many', 'x');
  for (let i = 0; i < 300; i += 1) add('large', 'x'.repeat(100_000));
  expect([read('many')?.length, read('large')?.length]).toEqual([256, 10]);
});
