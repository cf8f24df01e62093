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
export type AskRedis = <Value>(question: (redis: Client) => Promise<Value>) => Promise<Value>;

type Client = RedisConnection['redis'];

/** How many questions may be under way. */
const USUAL_WIDTH = 5_000;
/** While Redis does not answer: enough to see that it does again. */
const NARROW_WIDTH = 8;
const FAILURES_UNTIL_NARROW = 3;

/** How questions are asked, and how the last one went. */
export interface RedisQuestions {
  readonly ask: AskRedis;
  /** The same for what our user need not be allowed to ask; the answer is then undefined. */
  readonly askIfAllowed: <Value>(question: (redis: Client) => Promise<Value>) => Promise<Value | undefined>;
  /** Why Redis cannot be asked, as far as is known; undefined where the last question was answered. */
  readonly problem: string | undefined;
}

/**
 * Asks, unless it is known that there is no use in it. Questions to a server that does not answer do not pile up: after
 * three failures in a row only a few are under way at a time.
 *
 * @param onProblem told when questions begin to fail on a connection that is up, and (undefined) when that is over
 */
export function createRedisQuestions(
  connection: RedisConnection,
  onProblem: (problem: string | undefined) => void,
): RedisQuestions {
  let running = 0;
  let failures = 0;
  let problem: string | undefined;
  const isNarrow = () => failures >= FAILURES_UNTIL_NARROW;
  const requireRoom = () => {
    if (connection.problem !== undefined) throw new RedisUnavailableError(connection.problem);
    if (running < (isNarrow() ? NARROW_WIDTH : USUAL_WIDTH)) return;
    throw new RedisUnavailableError(
      `${running} questions are under way${isNarrow() ? ', and it does not answer' : ''}`,
    );
  };
  const failed = (error: unknown) => {
    const reason = connection.explain(error instanceof Error ? error : new Error(String(error)));
    failures = isReply(error) ? 0 : failures + 1;
    // One answer that does not come is no news; that Redis says no is.
    if (problem === undefined && (isReply(error) || isNarrow())) onProblem(reason);
    if (isReply(error) || isNarrow()) problem = reason;
    return new RedisUnavailableError(reason);
  };
  const answered = () => {
    failures = 0;
    if (problem === undefined) return;
    problem = undefined;
    if (connection.problem === undefined) onProblem(undefined);
  };
  // How each went is noted as soon as it is known, so that the last one counts.
  const run = async <Value>(question: (redis: Client) => Promise<Value>, isAnswer: (error: unknown) => boolean) => {
    requireRoom();
    running++;
    try {
      const answer = await question(connection.redis);
      answered();
      return answer;
    } catch (error) {
      if (!isAnswer(error)) throw failed(error);
      throw error;
    } finally {
      running--;
    }
  };
  const ask: AskRedis = (question) => run(question, isWrongType);
  return {
    ask,
    askIfAllowed: async (question) => {
      requireRoom();
      try {
        return await question(connection.redis);
      } catch (error) {
        if (isNotAllowed(error)) return undefined;
        throw failed(error);
      }
    },
    get problem() {
      return connection.problem ?? problem;
    },
  };
}

/** Redis itself said no: it is there. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

function isNotAllowed(error: unknown): boolean {
  return isReply(error) && error.message.startsWith('NOPERM');
}

/** Another kind of value stands under a key: that is an answer. */
export function isWrongType(error: unknown): error is Error {
  return isReply(error) && error.message.startsWith('WRONGTYPE');
}
