interface SharedInterval {
  readonly timer: NodeJS.Timeout;
  readonly callbacks: Set<() => void>;
}

/** By their milliseconds. */
const intervals = new Map<number, SharedInterval>();

/**
 * Like `setInterval` with `unref`, but all callbacks with the same interval are called by one timer: an idle process wakes
 * up once for all of them.
 *
 * @returns what ends the calls
 */
export function callEvery(milliseconds: number, call: () => void): () => void {
  // The same function may be given twice.
  const callback = () => call();
  const interval = intervals.get(milliseconds) ?? startInterval(milliseconds);
  interval.callbacks.add(callback);
  return () => {
    interval.callbacks.delete(callback);
    if (interval.callbacks.size > 0) return;
    clearInterval(interval.timer);
    if (intervals.get(milliseconds) === interval) intervals.delete(milliseconds);
  };
}

function startInterval(milliseconds: number): SharedInterval {
  const callbacks = new Set<() => void>();
  const timer = setInterval(() => {
    for (const callback of [...callbacks]) if (callbacks.has(callback)) callback();
  }, milliseconds).unref();
  const interval = { timer, callbacks };
  intervals.set(milliseconds, interval);
  return interval;
}
