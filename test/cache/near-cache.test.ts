import { expect, test } from 'vitest';
import { type LoadResult, NearCache, type NearCacheOptions } from '../../src/cache/near-cache.ts';

const present = (value: string, bytes = 10): LoadResult<string> => ({ kind: 'present', value, bytes });
const absent: LoadResult<string> = { kind: 'absent', value: 'nothing', bytes: 0 };
const away = new Error('the store is away');

/** A cache over a store of a test's own, with its clock. */
function cacheOver(answer: (key: string) => LoadResult<string> | Error, more: Partial<NearCacheOptions<string>> = {}) {
  const state = { time: 0, isTold: true, asked: [] as string[], delay: undefined as Promise<void> | undefined };
  const cache = new NearCache<string>({
    load: async (key) => {
      state.asked.push(key);
      const said = answer(key);
      await state.delay;
      if (said instanceof Error) throw said;
      return said;
    },
    isCovered: () => state.isTold,
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

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is known is given out without a question', async () => {
  const { cache, state } = cacheOver(present);
  expect([await cache.find('a'), await cache.find('a'), await cache.find('a')]).toEqual(['a', 'a', 'a']);
  expect(state.asked).toEqual(['a']);
  expect(cache.counts).toEqual({ hits: 2, misses: 1, stale: 0 });
});

test('for many who ask at once, one question is on its way for each key', async () => {
  const { cache, state } = cacheOver(present);
  const found = await Promise.all(['a', 'b', 'a', 'a', 'b'].map((key) => cache.find(key)));
  expect(found).toEqual(['a', 'b', 'a', 'a', 'b']);
  expect(state.asked).toEqual(['a', 'b']);
});

test('an error is told to each, and never remembered', async () => {
  let said: LoadResult<string> | Error = away;
  const { cache, state } = cacheOver(() => said);
  await expect(cache.find('a')).rejects.toThrow(away);
  await expect(cache.find('a')).rejects.toThrow(away);
  said = present('there');
  expect(await cache.find('a')).toBe('there');
  expect(state.asked).toHaveLength(3);
});

test('what is missing is remembered for its short lifetime only', async () => {
  const { cache, state } = cacheOver(() => absent);
  for (const time of [0, 1, 2, 3]) {
    state.time = time;
    expect(await cache.find('a')).toBe('nothing');
  }
  expect(state.asked).toHaveLength(2);
});

test('after the soft lifetime it is given out, and read again beside', async () => {
  let version = 1;
  const { cache, state } = cacheOver(() => present(`version ${version}`));
  await cache.find('a');
  version = 2;
  state.time = 61;
  expect(await cache.find('a')).toBe('version 1');
  await turn();
  expect(await cache.find('a')).toBe('version 2');
  expect(state.asked).toHaveLength(2);
});

test('while the store is away it is given out up to the hard lifetime, and no longer', async () => {
  let said: LoadResult<string> | Error = present('known');
  const { cache, state } = cacheOver(() => said);
  await cache.find('a');
  said = away;
  state.isTold = false;
  state.time = 600;
  expect([cache.hasUsableEntry(), await cache.find('a')]).toEqual([true, 'known']);
  expect(cache.counts.stale).toBe(1);
  state.time = 601;
  expect(cache.hasUsableEntry()).toBe(false);
  await expect(cache.find('a')).rejects.toThrow(away);
});

test('while nobody tells of changes, each value is confirmed before it is given out', async () => {
  let version = 1;
  const { cache, state } = cacheOver(() => present(`version ${version}`));
  await cache.find('a');
  state.isTold = false;
  version = 2;
  expect(await cache.find('a')).toBe('version 2');
  version = 3;
  expect(await cache.find('a')).toBe('version 3');
});

test('once anything may have changed, each value is confirmed once', async () => {
  const { cache, state } = cacheOver(present);
  for (const key of ['a', 'b']) await cache.find(key);
  cache.markAllStale();
  for (const key of ['a', 'b', 'a', 'b']) await cache.find(key);
  expect(state.asked).toEqual(['a', 'b', 'a', 'b']);
});

test('what is invalidated is gone, also while the store is away', async () => {
  let said: LoadResult<string> | Error = present('known');
  const { cache } = cacheOver(() => said);
  await cache.find('a');
  said = away;
  cache.invalidate('a');
  await expect(cache.find('a')).rejects.toThrow(away);
});

test('what is invalidated while its confirmation fails is not given out', async () => {
  let said: LoadResult<string> | Error = present('known');
  const { cache, state } = cacheOver(() => said);
  await cache.find('a');
  said = away;
  state.isTold = false;
  const { open, opened } = gate();
  state.delay = opened;
  const asking = cache.find('a');
  await turn();
  cache.invalidate('a');
  open();
  await expect(asking).rejects.toThrow(away);
});

test('what is changed while its confirmation fails is asked for once more', async () => {
  let said: LoadResult<string> | Error = present('before');
  const { cache, state } = cacheOver(() => said);
  await cache.find('a');
  said = away;
  cache.markAllStale();
  const { open, opened } = gate();
  state.delay = opened;
  const asking = cache.find('a');
  await turn();
  said = present('after');
  cache.invalidate('a');
  open();
  expect(await asking).toBe('after');
});

test('what was confirmed to be missing is not given out as it was before', async () => {
  let said: LoadResult<string> | Error = present('known');
  const { cache, state } = cacheOver(() => said);
  await cache.find('a');
  said = absent;
  state.isTold = false;
  expect(await cache.find('a')).toBe('nothing');
  said = away;
  await expect(cache.find('a')).rejects.toThrow(away);
});

test('a store that is silent is waited for so long and no longer; known values do not wait again', async () => {
  // Long enough that a machine which does other things in between does not take as long as one wait.
  const { cache, state } = cacheOver(present, { loadTimeoutMilliseconds: 300 });
  await cache.find('known');
  state.isTold = false;
  const { open, opened } = gate();
  state.delay = opened;
  const start = performance.now();
  expect(await cache.find('known')).toBe('known');
  expect(performance.now() - start).toBeGreaterThan(270);
  const again = performance.now();
  for (let times = 0; times < 100; times++) expect(await cache.find('known')).toBe('known');
  expect(performance.now() - again).toBeLessThan(270);
  await expect(cache.find('new')).rejects.toThrow('no answer within 300 ms');
  expect(state.asked).toEqual(['known', 'known', 'new']);
  open();
});

test('what was late once keeps nobody from being confirmed later', async () => {
  let said: LoadResult<string> | Error = present('before');
  const { cache, state } = cacheOver(() => said, { loadTimeoutMilliseconds: 20 });
  await cache.find('a');
  const { open, opened } = gate();
  state.delay = opened;
  cache.markAllStale();
  expect(await cache.find('a')).toBe('before');
  said = away;
  open();
  await turn();
  state.delay = undefined;
  said = present('after');
  cache.markAllStale();
  expect(await cache.find('a')).toBe('after');
});

test('a value is not given out longer than the store says that it is there', async () => {
  let said: LoadResult<string> | Error = { kind: 'present', value: 'a', bytes: 1, lifetime: 30 };
  const { cache, state } = cacheOver(() => said);
  await cache.find('a');
  state.time = 29;
  expect([await cache.find('a'), cache.hasUsableEntry()]).toEqual(['a', true]);
  said = away;
  state.time = 30;
  expect(cache.hasUsableEntry()).toBe(false);
  await expect(cache.find('a')).rejects.toThrow(away);
});

test('the hard lifetime counts from the question, not from the answer', async () => {
  const { cache, state } = cacheOver(present);
  const { open, opened } = gate();
  state.delay = opened;
  const asking = cache.find('a');
  await turn();
  state.time = 500;
  open();
  await asking;
  state.time = 601;
  expect(cache.hasUsableEntry()).toBe(false);
});

test('an answer that comes too late for a request is there for the next one', async () => {
  const { cache, state } = cacheOver(present, { loadTimeoutMilliseconds: 20 });
  const { open, opened } = gate();
  state.delay = opened;
  await expect(cache.find('a')).rejects.toThrow('no answer within 20 ms');
  open();
  await turn();
  expect(await cache.find('a')).toBe('a');
  expect(state.asked).toEqual(['a']);
});

test('an answer that has arrived while this process was busy is not late', async () => {
  const { cache } = cacheOver(present, {
    loadTimeoutMilliseconds: 20,
    load: (key) => new Promise((resolve) => setTimeout(() => setImmediate(() => resolve(present(key))), 5)),
  });
  const asking = cache.find('a');
  await turn();
  const start = performance.now();
  while (performance.now() - start < 60);
  expect(await asking).toBe('a');
});

test('it is bounded in entries and in bytes: what was not used for longest goes', async () => {
  const byEntries = cacheOver(present, { bounds: { entries: 3, bytes: 1_000_000 } });
  for (const key of ['a', 'b', 'c', 'a', 'd']) await byEntries.cache.find(key);
  expect(byEntries.cache.size.entries).toBe(3);
  await byEntries.cache.find('a');
  expect(byEntries.state.asked).toEqual(['a', 'b', 'c', 'd']);

  const byBytes = cacheOver((key) => present(key, 10_000), { bounds: { entries: 1_000, bytes: 50_000 } });
  for (let number = 0; number < 100; number++) await byBytes.cache.find(`key-${number}`);
  expect(byBytes.cache.size.entries).toBeGreaterThan(2);
  expect(byBytes.cache.size.bytes).toBeLessThanOrEqual(50_000);
});

test('a value larger than all of the bound is given out and not kept', async () => {
  const { cache } = cacheOver((key) => present(key, 1_000_000));
  expect([await cache.find('a'), await cache.find('a')]).toEqual(['a', 'a']);
  expect(cache.size.entries).toBe(0);
});

test('a flood of keys that are missing pushes out nobody who is there', async () => {
  const { cache, state } = cacheOver((key) => (key === 'known' ? present(key) : absent), {
    bounds: { entries: 2, bytes: 10_000 },
  });
  await cache.find('known');
  for (let number = 0; number < 20_000; number++) await cache.find(`stranger-${number}`);
  state.asked.length = 0;
  expect(await cache.find('known')).toBe('known');
  expect(state.asked).toEqual([]);
});
