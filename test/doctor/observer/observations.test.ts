import { expect, test } from 'vitest';
import { createObservations, WATCH_SECONDS } from '../../../src/doctor/observer/observations.ts';

let now = 0;
const observations = () => createObservations<string>(() => now);
const mark = (id: string) => () => [{ id }];

test('what is observed is kept for who watches, and for nobody else', () => {
  const { watch, watchedBy, add, read } = observations();
  expect(watchedBy(() => expect.unreachable('nobody watches'))).toBeUndefined();
  watch('a');
  expect(watchedBy(mark('b'))).toBeUndefined();
  expect(watchedBy(() => [{ id: 'b' }, { id: 'a', more: 1 }])).toEqual({ id: 'a', more: 1 });
  add('a', 'one');
  add('b', 'two');
  expect([read('a'), read('b')]).toEqual([['one'], undefined]);
  watch('a');
  expect(read('a')).toEqual([]);
});

test('a watch ends a while after its last question or observation', () => {
  const { watch, watchedBy, add, read } = observations();
  const wait = (seconds: number) => {
    now += seconds * 1000;
  };
  watch('a');
  wait(WATCH_SECONDS);
  add('a', 'one');
  wait(WATCH_SECONDS);
  expect(read('a')).toEqual(['one']);
  wait(WATCH_SECONDS);
  expect(watchedBy(mark('a'))).toBeDefined();
  wait(1);
  expect([watchedBy(mark('a')), read('a')]).toEqual([undefined, undefined]);
});

test('the ninth watch ends the one that was quiet for longest', () => {
  const { watch, read } = observations();
  const ids = ['1', '2', '3', '4', '5', '6', '7', '8'];
  for (const id of ids) watch(id);
  expect(read('1')).toEqual([]);
  watch('9');
  expect([...ids, '9'].filter((id) => read(id) === undefined)).toEqual(['2']);
});

test('a watch holds 256 observations, and a mebibyte', () => {
  const { watch, add, read } = observations();
  watch('many');
  watch('large');
  for (let i = 0; i < 300; i += 1) add('many', 'x');
  for (let i = 0; i < 300; i += 1) add('large', 'x'.repeat(100_000));
  expect([read('many')?.length, read('large')?.length]).toEqual([256, 10]);
});
