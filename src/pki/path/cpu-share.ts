/** So that one long computation is not followed by seconds of waiting. */
const MAX_COUNTED_MILLISECONDS = 50;

/** A share of CPU time, of which some may be used in advance (a leaky bucket). Times are in milliseconds. */
export class CpuShare {
  readonly #share: number;
  readonly #burst: number;
  /** What was used in excess of the share, at the time of `performance.now()`. */
  #excess = { milliseconds: 0, at: 0 };

  /**
   * @param share between 0 and 1
   * @param burst how much of it may be used in advance
   */
  constructor(share: number, burst: number) {
    this.#share = share;
    this.#burst = burst;
  }

  /** Negative to return what was used. */
  use(milliseconds: number): void {
    const at = performance.now();
    const used = Math.min(milliseconds, MAX_COUNTED_MILLISECONDS);
    this.#excess = { milliseconds: Math.max(0, this.#excessAt(at) + used), at };
  }

  #excessAt(now: number): number {
    const { milliseconds, at } = this.#excess;
    return Math.max(0, milliseconds - this.#share * (now - at));
  }

  /** How long until more may be used. */
  get untilFree(): number {
    return Math.max(0, this.#excessAt(performance.now()) - this.#burst) / this.#share;
  }
}

/**
 * Measures CPU time: that of the process, which includes its other threads, but never more than has elapsed. A thread that waits
 * for a core on a busy machine uses none.
 *
 * The time of the thread alone would not do: of a thread that runs, Linux updates it only at a tick of the scheduler, every 4 ms, so
 * that most searches would take no time.
 *
 * @param usedBefore what the process had used at the start, or a moment before
 * @returns a function for the milliseconds so far
 */
export function startCpuTimer(usedBefore = process.cpuUsage()): () => number {
  const start = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(usedBefore);
    return Math.min(performance.now() - start, (user + system) / 1_000);
  };
}

let reading = { usage: process.cpuUsage(), at: performance.now() };

/** What the process had used at most a millisecond ago. The kernel asks each of its threads, which takes some microseconds. */
export function recentCpuUsage(): NodeJS.CpuUsage {
  const now = performance.now();
  if (now - reading.at > 1) reading = { usage: process.cpuUsage(), at: now };
  return reading.usage;
}
