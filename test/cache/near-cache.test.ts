import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type LoadResult, NearCache, type NearCacheOptions } from '../../src/cache/near-cache.ts';

const present = (value: string, bytes = 10): LoadResult<string> => ({ kind: 'present', value, bytes });
const absent: LoadResult<string> = { kind: 'absent', value: 'nothing', bytes: 0 };
const storeDown = new Error('the store is down');

/** A cache over a store of the test, with a clock of the test. */
function cacheOver(reply: (key: string) => LoadResult<string> | Error, more: Partial<NearCacheOptions<string>> = {}) {
  const state = { time: 0, isCovered: true, loaded: [] as string[], delay: undefined as Promise<void> | undefined };
  const cache = new NearCache<string>({
    load: async (key) => {
      state.loaded.push(key);
      const result = reply(key);
      await state.delay;
      if (result instanceof Error) throw result;
      return result;
    },
    isCovered: () => state.isCovered,
    now: () => state.time,
    bounds: { entries: 100, bytes: 100_000 },
    lifetimes: { refreshAfter: 60, maxAge: 600, negativeTtl: 2 },
    loadTimeoutMilliseconds: 1_000,
    ...more,
  });
  return { cache, state };
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('NearCache serves a cached value without asking the store', async () => {
  const { cache, state } = cacheOver(present);
  expect([await cache.find('a'), await cache.find('a'), await cache.find('a')]).toEqual(['a', 'a', 'a']);
  expect(state.loaded).toEqual(['a']);
  expect(cache.counts).toEqual({ hits: 2, misses: 1, stale: 0 });
});

test('NearCache coalesces concurrent loads of one key', async () => {
  const { cache, state } = cacheOver(present);
  const found = await Promise.all(['a', 'b', 'a', 'a', 'b'].map((key) => cache.find(key)));
  expect(found).toEqual(['a', 'b', 'a', 'a', 'b']);
  expect(state.loaded).toEqual(['a', 'b']);
});

test('NearCache never caches failed loads', async () => {
  let result: LoadResult<string> | Error = storeDown;
  const { cache, state } = cacheOver(() => result);
  await expect(cache.find('a')).rejects.toThrow(storeDown);
  await expect(cache.find('a')).rejects.toThrow(storeDown);
  result = present('found');
  expect(await cache.find('a')).toBe('found');
  expect(state.loaded).toHaveLength(3);
});

test('NearCache caches an absent value for the negative TTL only', async () => {
  const { cache, state } = cacheOver(() => absent);
  for (const time of [0, 1, 2, 3]) {
    state.time = time;
    expect(await cache.find('a')).toBe('nothing');
  }
  expect(state.loaded).toHaveLength(2);
});

test('NearCache serves a value older than refreshAfter and refreshes it in the background', async () => {
  let version = 1;
  const { cache, state } = cacheOver(() => present(`version ${version}`));
  await cache.find('a');
  version = 2;
  state.time = 61;
  expect(await cache.find('a')).toBe('version 1');
  await nextTurn();
  expect(await cache.find('a')).toBe('version 2');
  expect(state.loaded).toHaveLength(2);
});

test('NearCache serves a stale value up to its max age while the store is down', async () => {
  let result: LoadResult<string> | Error = present('known');
  const { cache, state } = cacheOver(() => result);
  await cache.find('a');
  result = storeDown;
  state.isCovered = false;
  state.time = 600;
  expect([cache.hasUsableEntry(), await cache.find('a')]).toEqual([true, 'known']);
  expect(cache.counts.stale).toBe(1);
  state.time = 601;
  expect(cache.hasUsableEntry()).toBe(false);
  await expect(cache.find('a')).rejects.toThrow(storeDown);
});

test('NearCache revalidates each value while invalidation does not cover it', async () => {
  let version = 1;
  const { cache, state } = cacheOver(() => present(`version ${version}`));
  await cache.find('a');
  state.isCovered = false;
  version = 2;
  expect(await cache.find('a')).toBe('version 2');
  version = 3;
  expect(await cache.find('a')).toBe('version 3');
});

test('NearCache gives each load the present value of the one before, unless that was invalidated', async () => {
  const previous: (string | undefined)[] = [];
  let result = present('one');
  const load = async (_: string, __: unknown, known: string | undefined) => {
    previous.push(known);
    return result;
  };
  const { cache, state } = cacheOver(present, { load, isCovered: () => false });
  for (const next of [present('two'), absent, present('three'), present('four')]) {
    await cache.find('a');
    result = next;
  }
  state.time = 601;
  await cache.find('a');
  cache.invalidate('a');
  await cache.find('a');
  expect(previous).toEqual([undefined, 'one', 'two', undefined, 'three', undefined]);
});

test('NearCache revalidates each value once after markAllStale', async () => {
  const { cache, state } = cacheOver(present);
  for (const key of ['a', 'b']) await cache.find(key);
  cache.markAllStale();
  for (const key of ['a', 'b', 'a', 'b']) await cache.find(key);
  expect(state.loaded).toEqual(['a', 'b', 'a', 'b']);
});

test('NearCache does not serve an invalidated value while the store is down', async () => {
  let result: LoadResult<string> | Error = present('known');
  const { cache } = cacheOver(() => result);
  await cache.find('a');
  result = storeDown;
  cache.invalidate('a');
  await expect(cache.find('a')).rejects.toThrow(storeDown);
});

test('NearCache does not serve a value that is invalidated while its revalidation fails', async () => {
  let result: LoadResult<string> | Error = present('known');
  const { cache, state } = cacheOver(() => result);
  await cache.find('a');
  result = storeDown;
  state.isCovered = false;
  const { open, opened } = gate();
  state.delay = opened;
  const lookup = cache.find('a');
  await nextTurn();
  cache.invalidate('a');
  open();
  await expect(lookup).rejects.toThrow(storeDown);
});

test('NearCache loads a value again when it changes while its revalidation fails', async () => {
  let result: LoadResult<string> | Error = present('before');
  const { cache, state } = cacheOver(() => result);
  await cache.find('a');
  result = storeDown;
  cache.markAllStale();
  const { open, opened } = gate();
  state.delay = opened;
  const lookup = cache.find('a');
  await nextTurn();
  result = present('after');
  cache.invalidate('a');
  open();
  expect(await lookup).toBe('after');
});

test('NearCache does not serve the previous value once the key is known to be absent', async () => {
  let result: LoadResult<string> | Error = present('known');
  const { cache, state } = cacheOver(() => result);
  await cache.find('a');
  result = absent;
  state.isCovered = false;
  expect(await cache.find('a')).toBe('nothing');
  result = storeDown;
  await expect(cache.find('a')).rejects.toThrow(storeDown);
});

test('NearCache waits up to the load timeout for an unresponsive store, and serves cached values at once after that', async () => {
  const { cache, state } = cacheOver(present, { loadTimeoutMilliseconds: 300 });
  await cache.find('known');
  state.isCovered = false;
  const { open, opened } = gate();
  state.delay = opened;
  const events: string[] = [];
  const record = (event: string) => () => void events.push(event);
  // Timers of one process fire in their order, however busy the machine is.
  delay(10_000, undefined, { ref: false }).then(record('10 s'));
  const early = delay(270).then(record('270 ms'));
  expect(await cache.find('known').finally(record('served'))).toBe('known');
  await early;
  expect(events).toEqual(['270 ms', 'served']);

  // Without a turn of the event loop, nothing can have been waited for.
  setImmediate(record('next turn'));
  for (let times = 0; times < 100; times++) expect(await cache.find('known')).toBe('known');
  expect(events).toEqual(['270 ms', 'served']);
  await expect(cache.find('new')).rejects.toThrow('no reply within 300 ms');
  expect(state.loaded).toEqual(['known', 'known', 'new']);
  open();
});

test('NearCache revalidates again after an overdue load has settled', async () => {
  let result: LoadResult<string> | Error = present('before');
  const { cache, state } = cacheOver(() => result, { loadTimeoutMilliseconds: 20 });
  await cache.find('a');
  const { open, opened } = gate();
  state.delay = opened;
  cache.markAllStale();
  expect(await cache.find('a')).toBe('before');
  result = storeDown;
  open();
  await nextTurn();
  state.delay = undefined;
  result = present('after');
  cache.markAllStale();
  expect(await cache.find('a')).toBe('after');
});

test('NearCache does not serve a value after it expires in the store', async () => {
  let result: LoadResult<string> | Error = { kind: 'present', value: 'a', bytes: 1, lifetime: 30 };
  const { cache, state } = cacheOver(() => result);
  await cache.find('a');
  state.time = 29;
  expect([await cache.find('a'), cache.hasUsableEntry()]).toEqual(['a', true]);
  result = storeDown;
  state.time = 30;
  expect(cache.hasUsableEntry()).toBe(false);
  await expect(cache.find('a')).rejects.toThrow(storeDown);
});

test('NearCache counts the max age from the start of the load', async () => {
  const { cache, state } = cacheOver(present);
  const { open, opened } = gate();
  state.delay = opened;
  const lookup = cache.find('a');
  await nextTurn();
  state.time = 500;
  open();
  await lookup;
  state.time = 601;
  expect(cache.hasUsableEntry()).toBe(false);
});

test('NearCache serves the result of an overdue load to the next lookup', async () => {
  const { cache, state } = cacheOver(present, { loadTimeoutMilliseconds: 20 });
  const { open, opened } = gate();
  state.delay = opened;
  await expect(cache.find('a')).rejects.toThrow('no reply within 20 ms');
  open();
  await nextTurn();
  expect(await cache.find('a')).toBe('a');
  expect(state.loaded).toEqual(['a']);
});

test('NearCache accepts a result that arrived while the event loop was blocked', async () => {
  // As data that arrives after 5 ms: it is read after the timers of a turn.
  const arrival = new Promise<void>((resolve) => setTimeout(() => setImmediate(resolve), 5));
  const { cache } = cacheOver(present, {
    loadTimeoutMilliseconds: 20,
    load: (key) => arrival.then(() => present(key)),
  });
  const lookup = cache.find('a');
  const start = performance.now();
  while (performance.now() - start < 60);
  expect(await lookup).toBe('a');
});

test('NearCache evicts the least recently used value beyond its bounds of entries and bytes', async () => {
  const byEntries = cacheOver(present, { bounds: { entries: 3, bytes: 1_000_000 } });
  for (const key of ['a', 'b', 'c', 'a', 'd']) await byEntries.cache.find(key);
  expect(byEntries.cache.size.entries).toBe(3);
  await byEntries.cache.find('a');
  expect(byEntries.state.loaded).toEqual(['a', 'b', 'c', 'd']);

  const byBytes = cacheOver((key) => present(key, 10_000), { bounds: { entries: 1_000, bytes: 50_000 } });
  for (let number = 0; number < 100; number++) await byBytes.cache.find(`key-${number}`);
  expect(byBytes.cache.size.entries).toBeGreaterThan(2);
  expect(byBytes.cache.size.bytes).toBeLessThanOrEqual(50_000);
});

test('NearCache serves a value larger than its bound without caching it', async () => {
  const { cache } = cacheOver((key) => present(key, 1_000_000));
  expect([await cache.find('a'), await cache.find('a')]).toEqual(['a', 'a']);
  expect(cache.size.entries).toBe(0);
});

test('NearCache evicts no present value during a flood of absent keys', async () => {
  const { cache, state } = cacheOver((key) => (key === 'known' ? present(key) : absent), {
    bounds: { entries: 2, bytes: 10_000 },
  });
  await cache.find('known');
  for (let number = 0; number < 20_000; number++) await cache.find(`unknown-${number}`);
  state.loaded.length = 0;
  expect(await cache.find('known')).toBe('known');
  expect(state.loaded).toEqual([]);
});
