import type { RedisConnection } from './connection.ts';

/** Redis cannot be asked, or its answer is none: it is away, refuses us, or is not ready. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/**
 * Asks Redis one question.
 *
 * @throws {RedisUnavailableError} saying why; and the answer that a key holds another kind of value, see {@link isWrongType}
 */
export type Execute = <Value>(question: (redis: Client) => Promise<Value>) => Promise<Value>;

type Client = RedisConnection['redis'];

/** How many questions may be under way. */
const USUAL_WIDTH = 5_000;
/** While Redis does not answer: enough to see that it does again. */
const NARROW_WIDTH = 8;
const FAILURES_UNTIL_NARROW = 3;
/** A problem is over when a question was answered, and none failed for so long after that. */
const OVER_MILLISECONDS = 1_000;

/**
 * Asks, unless it is known that there is no use in it. Questions to a server that does not answer do not pile up: after
 * three failures in a row only a few are under way at a time.
 */
export class GuardedRedis {
  readonly #connection: RedisConnection;
  readonly #onProblem: (problem: string | undefined) => void;
  #running = 0;
  #failures = 0;
  #problem: string | undefined;
  #ending: NodeJS.Timeout | undefined;

  /** @param onProblem told when questions begin to fail on a connection that is up, and (undefined) when that is over */
  constructor(connection: RedisConnection, onProblem: (problem: string | undefined) => void) {
    this.#connection = connection;
    this.#onProblem = onProblem;
  }

  /** Why Redis cannot be asked, as far as is known; undefined where questions are answered. */
  get problem(): string | undefined {
    return this.#connection.problem ?? this.#problem;
  }

  readonly execute: Execute = async (question) => {
    this.#requireRoom();
    this.#running++;
    // How it went is noted as soon as it is known, so that the last one counts.
    try {
      const answer = await question(this.#connection.redis);
      this.#answered();
      return answer;
    } catch (error) {
      throw isWrongType(error) ? error : this.#failed(error);
    } finally {
      this.#running--;
    }
  };

  /** The same for what our user need not be allowed to ask; the answer is then undefined. */
  readonly executeIfPermitted = async <Value>(
    question: (redis: Client) => Promise<Value>,
  ): Promise<Value | undefined> => {
    this.#requireRoom();
    try {
      return await question(this.#connection.redis);
    } catch (error) {
      if (isNotAllowed(error)) return undefined;
      throw this.#failed(error);
    }
  };

  #requireRoom(): void {
    if (this.#connection.problem !== undefined) throw new RedisUnavailableError(this.#connection.problem);
    if (this.#running < (this.#isNarrow() ? NARROW_WIDTH : USUAL_WIDTH)) return;
    const why = this.#isNarrow() ? ', and it does not answer' : '';
    throw new RedisUnavailableError(`${this.#running} questions are under way${why}`);
  }

  #isNarrow(): boolean {
    return this.#failures >= FAILURES_UNTIL_NARROW;
  }

  #answered(): void {
    this.#failures = 0;
    if (this.#problem === undefined) return;
    // Some keys may be refused, and others not: who asks for one and the other would have each of them told.
    this.#ending ??= setTimeout(() => this.#end(), OVER_MILLISECONDS).unref();
  }

  #end(): void {
    this.#ending = undefined;
    this.#problem = undefined;
    if (this.#connection.problem === undefined) this.#onProblem(undefined);
  }

  #failed(error: unknown): RedisUnavailableError {
    const reason = this.#connection.explain(error instanceof Error ? error : new Error(String(error)));
    this.#failures = isReply(error) ? 0 : this.#failures + 1;
    clearTimeout(this.#ending);
    this.#ending = undefined;
    // One answer that does not come is no news; that Redis says no is.
    if (isReply(error) || this.#isNarrow()) {
      if (this.#problem === undefined) this.#onProblem(reason);
      this.#problem = reason;
    }
    return new RedisUnavailableError(reason);
  }
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
