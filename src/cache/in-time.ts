/** An answer did not come in time. It may still come. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

/**
 * Waits for an answer, and no longer than that. An answer that has arrived counts, also where this process was too busy
 * to look at it: what is there is read once more after the time is over.
 *
 * @param milliseconds how long
 * @throws {LateError}
 */
export async function inTime<Value>(answer: Promise<Value>, milliseconds: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new LateError(`no answer within ${milliseconds} ms`));
    // Timers come before arrived data in a turn of the event loop, and this after it.
    timer = setTimeout(() => setImmediate(giveUp), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
