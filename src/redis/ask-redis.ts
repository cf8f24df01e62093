import { explainProblem } from './explain-problem.ts';
import type { RedisConnection } from './redis-connection.ts';

/** Redis cannot be asked, or its answer is none: it is away, refuses us, or is not ready. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/**
 * Asks Redis one question.
 *
 * @throws {RedisUnavailableError} saying why; and the answer that a key holds another kind of value, see {@link isWrongType}
 */
export type AskRedis = <Value>(question: (redis: RedisConnection['redis']) => Promise<Value>) => Promise<Value>;

/** How many questions may be under way. */
const USUAL_WIDTH = 5_000;
/** While Redis does not answer: enough to see that it does again. */
const NARROW_WIDTH = 8;
const FAILURES_UNTIL_NARROW = 3;

/** How questions are asked, and how the last one went. */
export interface RedisQuestions {
  readonly ask: AskRedis;
  /** Why Redis cannot be asked, as far as is known; undefined where the last question was answered. */
  readonly problem: string | undefined;
}

/**
 * Asks, unless it is known that there is no use in it. Questions to a server that does not answer do not pile up: after
 * three failures in a row only a few are under way at a time.
 */
export function createRedisQuestions(connection: RedisConnection): RedisQuestions {
  let running = 0;
  let failures = 0;
  let problem: string | undefined;
  const requireRoom = () => {
    if (connection.problem !== undefined) throw new RedisUnavailableError(connection.problem);
    const isNarrow = failures >= FAILURES_UNTIL_NARROW;
    if (running < (isNarrow ? NARROW_WIDTH : USUAL_WIDTH)) return;
    throw new RedisUnavailableError(`${running} questions are under way${isNarrow ? ', and it does not answer' : ''}`);
  };
  const failed = (error: unknown) => {
    failures = isReply(error) ? 0 : failures + 1;
    problem = explainProblem(error instanceof Error ? error : new Error(String(error)));
    return new RedisUnavailableError(problem);
  };
  const answered = () => {
    failures = 0;
    problem = undefined;
  };
  const ask: AskRedis = async (question) => {
    requireRoom();
    running++;
    try {
      const answer = await question(connection.redis);
      answered();
      return answer;
    } catch (error) {
      if (!isWrongType(error)) throw failed(error);
      answered();
      throw error;
    } finally {
      running--;
    }
  };
  return {
    ask,
    get problem() {
      return connection.problem ?? problem;
    },
  };
}

/** Redis itself said no: it is there. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Another kind of value stands under a key: that is an answer. */
export function isWrongType(error: unknown): error is Error {
  return isReply(error) && error.message.startsWith('WRONGTYPE');
}
