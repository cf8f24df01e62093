import { expect, test } from 'vitest';
import { ReloadQueue } from '../../src/watch/reload-queue.ts';

/** A queue whose loads end when the test says so. */
function open() {
  const events: string[] = [];
  const ends: (() => void)[] = [];
  const load = async (name: string) => {
    events.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.push(resolve));
    events.push(`${name} ends`);
    return name;
  };
  let reloads = 0;
  const queue = new ReloadQueue(() => load(`reload ${++reloads}`));
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
  /** Ends the load in progress. */
  const end = async () => {
    await nextTurn();
    ends.shift()?.();
    await nextTurn();
  };
  return { queue, load, events, end, nextTurn };
}

test('ReloadQueue runs one load after the other', async () => {
  const { queue, load, events, end, nextTurn } = open();
  const results = [queue.add(() => load('a')), queue.reload(), queue.add(() => load('b'))];
  await nextTurn();
  expect(events).toEqual(['a begins']);
  for (let count = 0; count < 3; count++) await end();
  expect(events).toEqual(['a begins', 'a ends', 'reload 1 begins', 'reload 1 ends', 'b begins', 'b ends']);
  expect(await Promise.all(results)).toEqual(['a', 'reload 1', 'b']);
});

test('ReloadQueue joins a reload that has not begun, and no other', async () => {
  const { queue, end, nextTurn } = open();
  const first = queue.reload();
  expect(queue.reload()).toBe(first);
  await nextTurn();
  const [second, third] = [queue.reload(), queue.reload()];
  for (let count = 0; count < 2; count++) await end();
  expect(await Promise.all([first, second, third])).toEqual(['reload 1', 'reload 2', 'reload 2']);
});

test('ReloadQueue waits for every load so far', async () => {
  const { queue, load, events, end } = open();
  const waiting: string[] = [];
  void queue.reload();
  void queue.add(() => load('b'));
  const last = queue.last.then(() => waiting.push(...events));
  for (let count = 0; count < 2; count++) await end();
  await last;
  expect(waiting.at(-1)).toBe('b ends');
});
