import { explainProblem } from './explain-problem.ts';
import type { RedisConnection } from './redis-connection.ts';

/** Redis cannot be asked, or its answer is none: it is away, refuses us, or is not ready. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/**
 * Asks Redis one question.
 *
 * @throws {RedisUnavailableError} saying why
 */
export type AskRedis = <Value>(question: (redis: RedisConnection['redis']) => Promise<Value>) => Promise<Value>;

/** How many questions may be under way. */
const USUAL_WIDTH = 5_000;
/** While Redis does not answer: enough to see that it does again. */
const NARROW_WIDTH = 8;
const FAILURES_UNTIL_NARROW = 3;

/**
 * Asks, unless it is known that there is no use in it. Questions to a server that does not answer do not pile up: after
 * three failures in a row only a few are under way at a time.
 */
export function createAskRedis(connection: RedisConnection): AskRedis {
  let running = 0;
  let failures = 0;
  return async (question) => {
    if (connection.problem !== undefined) throw new RedisUnavailableError(connection.problem);
    const isNarrow = failures >= FAILURES_UNTIL_NARROW;
    if (running >= (isNarrow ? NARROW_WIDTH : USUAL_WIDTH)) {
      throw new RedisUnavailableError(
        `${running} questions are under way${isNarrow ? ', and it does not answer' : ''}`,
      );
    }
    running++;
    try {
      const answer = await question(connection.redis);
      failures = 0;
      return answer;
    } catch (error) {
      failures = isReply(error) ? 0 : failures + 1;
      throw error instanceof Error && !isReply(error) ? new RedisUnavailableError(explainProblem(error)) : error;
    } finally {
      running--;
    }
  };
}

/** Redis itself said no: it is there. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
