import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { createHeartbeat } from '../../src/redis/heartbeat.ts';
import { Suspicion } from '../../src/redis/suspicion.ts';

// Every phase of the clock is tested, and none depends on how busy the machine is.
vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
const fakeNow = performance.now.bind(performance);
let blocked = 0;
performance.now = () => fakeNow() + blocked;
afterAll(() => void vi.useRealTimers());

/** Timers that are pending, and replies, come this much later than they are due. */
function block(milliseconds: number): void {
  blocked += milliseconds;
}

/** This leaves 100 ms of the promised second for a new connection. */
const MAX_MILLISECONDS = 900;
const LONG_INTERVAL = 10_000;

/** A connection that is probed all the time, and one that is probed if needed. */
function connections({ roundTrip = 0 } = {}) {
  const suspicion = new Suspicion();
  let isCutOff = false;
  let provenAt = 0;
  const drops: number[] = [];
  const sentAt: number[] = [];
  const ping = async () => {
    if (isCutOff) return new Promise(() => {});
    const provesUntil = performance.now();
    if (roundTrip > 0) await new Promise((resolve) => setTimeout(resolve, roundTrip));
    provenAt = provesUntil;
    return 'PONG';
  };
  const pingIfNeeded = () => {
    sentAt.push(performance.now());
    return ping();
  };
  const onSilent = () => void drops.push(performance.now() - provenAt);
  const usual = createHeartbeat({
    redis: { ping },
    onSilent: () => {
      usual.stop();
      onSilent();
      suspicion.confirm();
    },
    onBeat: (isOverdue) => suspicion.set(usual, isOverdue),
  });
  const ifNeeded = createHeartbeat({
    redis: { ping: pingIfNeeded },
    onSilent: () => {
      ifNeeded.stop();
      onSilent();
    },
    interval: LONG_INTERVAL,
    isNeeded: () => suspicion.isRaised,
  });
  suspicion.watch(ifNeeded);
  for (const each of [usual, ifNeeded]) each.start();
  onTestFinished(() => [usual, ifNeeded].forEach((each) => void each.stop()));
  const cutOff = () => {
    isCutOff = true;
  };
  return { cutOff, drops, sentAt };
}

/** To a time after a multiple of the long interval. */
async function advanceTo(phase: number): Promise<void> {
  const rest = (LONG_INTERVAL + phase - (performance.now() % LONG_INTERVAL)) % LONG_INTERVAL;
  await vi.advanceTimersByTimeAsync(rest);
}

const phases = Array.from({ length: 72 }, (_, number) => number * 25);

test.each([0, 110, 330])(
  'connections that begin %d ms after a beat are dropped within 900 ms of the last proof, whenever they are cut off',
  async (start) => {
    for (const phase of phases) {
      await advanceTo(start);
      const { cutOff, drops } = connections();
      // The PING that is sent every ten seconds is answered, or not.
      await advanceTo(9_000 + phase);
      cutOff();
      await vi.advanceTimersByTimeAsync(1_500);
      expect([phase, drops.length]).toEqual([phase, 2]);
      expect(Math.max(...drops)).toBeLessThan(MAX_MILLISECONDS);
    }
  },
);

test.each([30, 60, 100])(
  'a process that is busy for %d ms while connections are cut off drops them later by no more than that',
  async (milliseconds) => {
    for (const phase of phases) {
      const { cutOff, drops } = connections();
      await advanceTo(1_350);
      cutOff();
      await vi.advanceTimersByTimeAsync(phase / 2);
      block(milliseconds);
      await vi.advanceTimersByTimeAsync(1_500);
      expect([phase, drops.length]).toEqual([phase, 2]);
      expect(Math.max(...drops)).toBeLessThan(MAX_MILLISECONDS + milliseconds);
    }
  },
);

test('a late beat does not postpone those after it', async () => {
  await advanceTo(0);
  const { cutOff, drops } = connections();
  await advanceTo(1_350);
  cutOff();
  // The first PING without a reply is sent at 1,667 ms, and found unanswered at 2,060 ms.
  await advanceTo(1_900);
  block(60);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(Math.max(...drops)).toBeLessThan(MAX_MILLISECONDS);
});

test('a process that was suspended for ten seconds drops no connection, whenever that was', async () => {
  for (const phase of phases) {
    const { drops } = connections({ roundTrip: 300 });
    await advanceTo(1_350 + phase / 2);
    block(10_000);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([phase, drops]).toEqual([phase, []]);
  }
});

test('a connection that is not needed is dropped when a PING is unanswered, without the others', async () => {
  const drops: number[] = [];
  let sent = 0;
  const ping = async () => (++sent === 1 ? 'PONG' : new Promise(() => {}));
  const onSilent = () => {
    drops.push(performance.now() % LONG_INTERVAL);
    heartbeat.stop();
  };
  const heartbeat = createHeartbeat({ redis: { ping }, onSilent, interval: LONG_INTERVAL });
  heartbeat.start();
  await vi.advanceTimersByTimeAsync(1.5 * LONG_INTERVAL);
  expect(drops).toHaveLength(1);
  expect(drops[0]).toBeLessThan(600);
});

test('a connection that is not needed is probed once in its interval', async () => {
  const { sentAt } = connections();
  await vi.advanceTimersByTimeAsync(6 * LONG_INTERVAL);
  // One at the start.
  expect(sentAt).toHaveLength(7);
  const gaps = sentAt.slice(1).map((time, index) => time - (sentAt[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(LONG_INTERVAL + 2);
});
