import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until the answer is true, or throws what `explain` says. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  explain: () => string,
  milliseconds = 10_000,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(explain());
    await delay(10);
  }
}
