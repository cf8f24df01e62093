import { setTimeout as delay } from 'node:timers/promises';
import { slowdown } from './slowdown.ts';
import { watchSuspensions } from './suspensions.ts';

/** Less than the time limit of a test, so that a test fails with the explanation. */
const LONGEST_MILLISECONDS = 90_000;

/**
 * Waits until the condition holds.
 *
 * @param explain the message of the error
 * @param milliseconds the time limit on an idle machine; on a busy machine it is longer by its slowdown, and it starts again
 *   whenever this process, and perhaps the machine, was suspended
 * @throws {Error} after the time limit
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  explain: () => string,
  milliseconds = 10_000,
): Promise<void> {
  const end = performance.now() + Math.max(milliseconds, LONGEST_MILLISECONDS);
  const suspensions = watchSuspensions();
  try {
    for (let limit = milliseconds; !(await condition()); ) {
      const elapsed = () => performance.now() - suspensions.lastEnd();
      // Measured only when the limit has passed: a condition that holds in time costs nothing.
      if (elapsed() > limit) limit = Math.min(milliseconds * slowdown(), LONGEST_MILLISECONDS);
      if (elapsed() > limit || performance.now() > end) throw new Error(explain());
      await delay(10);
    }
  } finally {
    suspensions.stop();
  }
}
