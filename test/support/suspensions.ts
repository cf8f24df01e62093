/** Longer than a busy machine delays a timer. */
const SUSPENDED_MILLISECONDS = 500;
const TICK_MILLISECONDS = 50;

/** Notices when this process did not run for half a second, since it, or the machine, was suspended or overloaded. */
export interface SuspensionWatch {
  /** When the last one ended, or when the watch started if there was none, by `performance.now()`. */
  readonly lastEnd: () => number;
  readonly stop: () => void;
}

export function watchSuspensions(): SuspensionWatch {
  let lastEnd = performance.now();
  let lastTick = lastEnd;
  const tick = () => {
    const now = performance.now();
    if (now - lastTick > TICK_MILLISECONDS + SUSPENDED_MILLISECONDS) lastEnd = now;
    lastTick = now;
  };
  const timer = setInterval(tick, TICK_MILLISECONDS);
  return {
    // The timer may not have fired yet.
    lastEnd: () => {
      tick();
      return lastEnd;
    },
    stop: () => clearInterval(timer),
  };
}
