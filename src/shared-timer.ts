/**
 * One timer for periodic work: an idle process wakes up once for all calls that are due at the same time. They are, since
 * each is due at a multiple of its interval. Times are in milliseconds, by `performance.now()`.
 */

interface Call {
  readonly dueAt: number;
  readonly call: () => void;
}

const calls = new Set<Call>();
let timer: NodeJS.Timeout | undefined;
let wakesUpAt = Number.POSITIVE_INFINITY;

/** Timers have a resolution of a millisecond, and may fire that much too early. */
export const RESOLUTION_MILLISECONDS = 1;

/** The next multiple of an interval, which may be fractional, after this time. */
export function nextMultiple(milliseconds: number, after = performance.now()): number {
  return (Math.floor((after + RESOLUTION_MILLISECONDS) / milliseconds) + 1) * milliseconds;
}

/**
 * Like `setTimeout` with `unref`.
 *
 * @returns what prevents the call
 */
export function callAt(dueAt: number, call: () => void): () => void {
  const added = { dueAt, call };
  calls.add(added);
  if (dueAt < wakesUpAt) wakeUpAt(dueAt);
  return () => {
    calls.delete(added);
  };
}

/**
 * Like `setInterval` with `unref`, except for the first call, which comes sooner. Calls that a busy process misses are
 * skipped, and so is the one that would follow a late call within half an interval.
 *
 * @returns what ends the calls
 */
export function callEvery(milliseconds: number, call: () => void): () => void {
  let cancel = () => {};
  const schedule = (after: number) => {
    cancel = callAt(nextMultiple(milliseconds, after), () => {
      schedule(performance.now() + milliseconds / 2);
      call();
    });
  };
  schedule(performance.now());
  return () => cancel();
}

function wakeUpAt(time: number): void {
  clearTimeout(timer);
  wakesUpAt = time;
  // Node.js warns of a negative delay, which a call that takes long would cause.
  timer = setTimeout(callThoseDue, Math.max(1, Math.ceil(time - performance.now()))).unref();
}

function callThoseDue(): void {
  wakesUpAt = Number.POSITIVE_INFINITY;
  const now = performance.now() + RESOLUTION_MILLISECONDS;
  const due = [...calls].filter(({ dueAt }) => dueAt <= now);
  try {
    for (const each of due) if (calls.delete(each)) each.call();
  } finally {
    const next = Math.min(...[...calls].map(({ dueAt }) => dueAt));
    if (next < wakesUpAt) wakeUpAt(next);
  }
}
