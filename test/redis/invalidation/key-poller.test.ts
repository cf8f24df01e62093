import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AnnouncedKey } from '../../../src/redis/invalidation/announced-key.ts';
import { KeyPoller, type KeyPollerOptions } from '../../../src/redis/invalidation/key-poller.ts';
import { eventually } from '../../support/eventually.ts';

const INTERVAL = 40;

/** A poller whose reads end when the test ends them, unless they are to end at once. */
function start(options: Partial<KeyPollerOptions> & { readonly isHeld?: boolean } = {}) {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const errors: unknown[] = [];
  const counts = { polls: 0, concurrent: 0, mostConcurrent: 0 };
  const poller = new KeyPoller({
    interval: INTERVAL,
    announced: undefined,
    isUpToDate: () => true,
    read: async () => {
      begun.push(performance.now());
      counts.concurrent += 1;
      counts.mostConcurrent = Math.max(counts.mostConcurrent, counts.concurrent);
      if (options.isHeld) await new Promise<void>((resolve) => ends.push(resolve));
      counts.concurrent -= 1;
    },
    onError: (error) => errors.push(error),
    onEnd: () => {
      counts.polls += 1;
    },
    ...options,
  });
  onTestFinished(() => poller.stop());
  const untilBegun = (count: number) =>
    eventually(
      () => begun.length >= count,
      () => `${begun.length} instead of ${count} reads`,
    );
  const endRead = () => ends.shift()?.();
  return { poller, begun, errors, counts, untilBegun, endRead };
}

/** Announced by a feed that is proven until `silence`. */
function announcedKey() {
  const key = new AnnouncedKey('key');
  let provenUntil: number | undefined;
  key.follow({
    mode: 'tracking',
    covers: () => true,
    get syncedUntil() {
      return provenUntil ?? performance.now();
    },
  });
  const silence = () => {
    provenUntil = performance.now();
  };
  return { key, silence };
}

/** Whether it has resolved by now. */
async function hasEnded(promise: Promise<void>): Promise<boolean> {
  let isPending = false;
  const later = setImmediate().then(() => {
    isPending = true;
  });
  await Promise.race([promise, later]);
  return !isPending;
}

describe('a poller', () => {
  test('reads again and again, an interval after the end of the last read', async () => {
    const { poller, begun, counts, untilBegun } = start();
    await poller.poll();
    await untilBegun(4);
    expect(counts.mostConcurrent).toBe(1);
    // Timers may fire a little early.
    for (const [index, at] of begun.slice(1).entries()) expect(at - (begun[index] ?? 0)).toBeGreaterThan(INTERVAL - 5);
  });

  test('has one poll in progress, however long it takes', async () => {
    const { poller, begun, untilBegun, endRead } = start({ isHeld: true });
    void poller.poll();
    await delay(4 * INTERVAL);
    expect(begun).toHaveLength(1);
    endRead();
    await untilBegun(2);
  });

  test('reads no more often after it was called between two polls', async () => {
    const { poller, begun, counts, untilBegun } = start();
    for (let call = 0; call < 5; call++) await poller.poll();
    await untilBegun(8);
    expect(counts.mostConcurrent).toBe(1);
    for (const [index, at] of begun.slice(5).entries())
      expect(at - (begun[4 + index] ?? 0)).toBeGreaterThan(INTERVAL - 5);
  });

  test('does not begin before the first call', async () => {
    const { key } = announcedKey();
    const { begun, counts } = start({ announced: key });
    key.changed();
    await delay(2 * INTERVAL);
    expect([begun.length, counts.polls]).toEqual([0, 0]);
  });

  test('resolves a call when a poll that began after it has ended, whose preparation no other poll has seen', async () => {
    const { poller, begun, counts, untilBegun, endRead } = start({ isHeld: true });
    const first = poller.poll();
    const prepared: number[] = [];
    const prepare = () => prepared.push(counts.concurrent);
    const [one, two] = [poller.poll(prepare), poller.poll(prepare)];
    expect(await hasEnded(first)).toBe(false);
    endRead();
    await first;
    await untilBegun(2);
    expect([prepared, await hasEnded(one)]).toEqual([[0], false]);
    endRead();
    await one;
    await untilBegun(3);
    expect([prepared, await hasEnded(two)]).toEqual([[0, 0], false]);
    endRead();
    await two;
    expect([begun.length, counts.mostConcurrent]).toEqual([3, 1]);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
  ])('reports that a read %s, resolves, and reads again after the interval', async (_, read) => {
    const { poller, errors, counts } = start({ read });
    await poller.poll();
    expect([errors, counts.polls]).toEqual([[new Error('down')], 1]);
    expect(poller.syncedAt).toBe(Number.NEGATIVE_INFINITY);
    await eventually(
      () => errors.length >= 4,
      () => `${errors.length} reads`,
    );
    await poller.poll();
    expect(counts.polls).toBe(errors.length);
  });

  describe('that was stopped', () => {
    test('does not read again, although it is called and the key changes', async () => {
      const { key } = announcedKey();
      const { poller, begun, counts } = start({ announced: key });
      await poller.poll();
      poller.stop();
      await poller.poll(() => counts.polls++);
      key.changed();
      await delay(3 * INTERVAL);
      expect([begun.length, counts.polls]).toEqual([1, 1]);
    });

    test('does not read again if it was resting', async () => {
      const { key } = announcedKey();
      const { poller, begun, counts } = start({ announced: key });
      await poller.poll();
      await poller.poll();
      poller.stop();
      key.changed();
      await delay(2 * INTERVAL);
      expect([begun.length, counts.polls]).toEqual([1, 2]);
    });

    test.each(['ends', 'fails'])('does not report how a read in progress %s, and resolves all calls', async (how) => {
      const end = Promise.withResolvers<void>();
      const { poller, errors, counts } = start({ read: () => end.promise });
      const calls = [poller.poll(), poller.poll(() => counts.polls++)];
      poller.stop();
      expect(poller.isStopped).toBe(true);
      if (how === 'ends') end.resolve();
      else end.reject(new Error('closed'));
      await Promise.all(calls);
      await delay(2 * INTERVAL);
      expect([errors, counts.polls]).toEqual([[], 0]);
    });
  });

  describe('of a key whose changes are announced', () => {
    test('rests until a change is announced, and reads at once then', async () => {
      const { key } = announcedKey();
      const { poller, begun, counts } = start({ announced: key });
      const startedAt = performance.now();
      await poller.poll();
      await delay(8 * INTERVAL);
      expect(begun).toHaveLength(1);
      // The first one, that which finds nothing to read, and one at each full second.
      expect(counts.polls).toBeGreaterThan(1);
      const fullSeconds = Math.floor((performance.now() + 1) / 1_000) - Math.floor(startedAt / 1_000);
      expect(counts.polls).toBeLessThanOrEqual(2 + fullSeconds);
      key.changed();
      expect(begun).toHaveLength(2);
    });

    test('reads no more often than without announcements, however often it changes', async () => {
      const { key } = announcedKey();
      const { poller, begun } = start({ announced: key });
      await poller.poll();
      while (begun.length < 6) {
        key.changed();
        await delay(1);
      }
      for (const [index, at] of begun.slice(1).entries())
        expect(at - (begun[index] ?? 0)).toBeGreaterThan(INTERVAL - 5);
    });

    test('reads again if the key has changed during a read', async () => {
      const { key } = announcedKey();
      const { poller, counts, untilBegun, endRead } = start({ announced: key, isHeld: true });
      const first = poller.poll();
      await delay(1);
      key.changed();
      endRead();
      await first;
      await untilBegun(2);
      expect(counts.polls).toBe(1);
    });

    test('reads in each poll while the read after a change fails', async () => {
      const { key } = announcedKey();
      let read = async () => {};
      const { poller, errors, counts } = start({ announced: key, read: () => read() });
      await poller.poll();
      read = () => Promise.reject(new Error('down'));
      key.changed();
      await eventually(
        () => errors.length >= 3,
        () => `${errors.length} reads`,
      );
      expect(counts.polls).toBe(1 + errors.length);
    });

    test('reads while the last read has not found everything', async () => {
      const { key } = announcedKey();
      let isUpToDate = false;
      const { poller, begun, counts, untilBegun } = start({ announced: key, isUpToDate: () => isUpToDate });
      await poller.poll();
      await untilBegun(4);
      // Each poll has read.
      expect(counts.polls).toBeLessThanOrEqual(begun.length);
      isUpToDate = true;
      await eventually(
        () => counts.polls > begun.length,
        () => 'it does not rest',
      );
    });

    test('polls once a second, and reads after announcements have fallen silent', async () => {
      const { key, silence } = announcedKey();
      const { poller, begun, counts, untilBegun } = start({ announced: key });
      await poller.poll();
      await eventually(
        () => counts.polls === 3,
        () => `${counts.polls} polls`,
      );
      expect(begun).toHaveLength(1);
      silence();
      await untilBegun(4);
    });
  });

  test('is synced until its last read began, and then until changes were last known to be announced', async () => {
    const { key, silence } = announcedKey();
    let isUpToDate = true;
    const { poller, begun, endRead } = start({ announced: key, isUpToDate: () => isUpToDate, isHeld: true });
    expect(poller.syncedAt).toBe(Number.NEGATIVE_INFINITY);
    const calledAt = performance.now();
    const first = poller.poll();
    await delay(5);
    isUpToDate = false;
    endRead();
    await first;
    expect(poller.syncedAt).toBeGreaterThanOrEqual(calledAt);
    expect(poller.syncedAt).toBeLessThanOrEqual(begun[0] ?? 0);
    isUpToDate = true;
    const asked = performance.now();
    expect(poller.syncedAt).toBeGreaterThanOrEqual(asked);
    silence();
    const proven = poller.syncedAt;
    await delay(5);
    expect(poller.syncedAt).toBe(proven);
    key.changed();
    expect(poller.syncedAt).toBe(proven);
  });
});
