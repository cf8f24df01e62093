import type { RedisConnection } from '../redis/connection.ts';
import { AdministrationError } from './administration-error.ts';

/** Waits for an answer of Redis, and throws AdministrationError where there is none. */
export type Ask = <Answer>(asked: Promise<Answer>) => Promise<Answer>;

/**
 * Says why Redis did not answer, or what it answered where that is no.
 *
 * @param description of Redis, for messages
 */
export function explaining(description: string, explain: RedisConnection['explain']): Ask {
  return async (asked) => {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const isRefusal = error.name === 'ReplyError';
      const what = isRefusal ? 'says no' : 'did not answer';
      throw new AdministrationError([`Redis at ${description} ${what}: ${explain(error)}`], { isRefusal });
    }
  };
}
