/** The server sheds load, which it also does when something else on the machine has stalled it. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

const MAX_ATTEMPTS = 5;

/**
 * Repeats a measurement that a 503 has spoiled: it does not count, and neither does its error.
 *
 * @throws {UnavailableError} if that happens every time
 */
export async function repeatIfUnavailable<T>(measure: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await measure();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !(error instanceof UnavailableError)) throw error;
    }
  }
}
