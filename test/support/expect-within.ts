import { slowdown } from './slowdown.ts';

const ATTEMPTS = 3;

/**
 * Measures a duration again if it exceeds the limit, up to three times: the machine delays one measurement or another, but
 * what is too slow by itself is so each time. A measurement that rejects is not repeated: a busy machine delays results, and
 * does not make them wrong.
 *
 * @param milliseconds the limit on an idle machine; on a busy machine it is longer by its slowdown, before or afterwards
 * @param measure resolves to milliseconds
 * @throws what the measurement throws, or {Error} with the durations if each of them exceeds its limit
 */
export async function expectWithin(milliseconds: number, measure: () => Promise<number>): Promise<void> {
  const exceeded: string[] = [];
  while (exceeded.length < ATTEMPTS) {
    const before = slowdown();
    const duration = await measure();
    const limit = milliseconds * Math.max(before, slowdown());
    if (duration < limit) return;
    exceeded.push(`${Math.round(duration)} ms instead of less than ${Math.round(limit)} ms`);
  }
  throw new Error(`took too long each time: ${exceeded.join(', ')}`);
}

/** How long something takes, in milliseconds. */
export async function durationOf(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
