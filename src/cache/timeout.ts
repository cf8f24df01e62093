/** No result in time. It may still arrive. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Waits for a result, but not longer than the timeout. A result that has arrived counts even if this process was too busy
 * to read it: once the time is over, pending I/O is read once more.
 *
 * @throws {TimeoutError}
 */
export async function withTimeout<Value>(result: Promise<Value>, milliseconds: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new TimeoutError(`no reply within ${milliseconds} ms`));
    // In a turn of the event loop, timers run before pending I/O, and setImmediate runs after it.
    timer = setTimeout(() => setImmediate(giveUp), milliseconds);
  });
  try {
    return await Promise.race([result, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
