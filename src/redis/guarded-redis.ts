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
export type CommandExecutor = <Value>(question: (redis: Client) => Promise<Value>) => Promise<Value>;

type Client = RedisConnection['redis'];

/** How many questions may be under way. */
const MAX_IN_FLIGHT = 5_000;
/** While Redis does not answer: enough to see that it does again. */
const MAX_IN_FLIGHT_WHILE_FAILING = 8;
const FAILURES_BEFORE_THROTTLING = 3;
/** A problem is over when a question was answered, and none failed for so long after that. */
const RECOVERY_MILLISECONDS = 1_000;

/**
 * Asks, unless it is known that there is no use in it. Questions to a server that does not answer do not pile up: after
 * three failures in a row only a few are under way at a time.
 */
export class GuardedRedis {
  readonly #connection: RedisConnection;
  readonly #onProblem: (problem: string | undefined) => void;
  #inFlight = 0;
  #consecutiveFailures = 0;
  #problem: string | undefined;
  #recoveryTimer: NodeJS.Timeout | undefined;

  /** @param onProblem told when questions begin to fail on a connection that is up, and (undefined) when that is over */
  constructor(connection: RedisConnection, onProblem: (problem: string | undefined) => void) {
    this.#connection = connection;
    this.#onProblem = onProblem;
  }

  /** Why Redis cannot be asked, as far as is known; undefined where questions are answered. */
  get problem(): string | undefined {
    return this.#connection.problem ?? this.#problem;
  }

  readonly execute: CommandExecutor = async (question) => {
    this.#requireCapacity();
    this.#inFlight++;
    // How it went is noted as soon as it is known, so that the last one counts.
    try {
      const answer = await question(this.#connection.redis);
      this.#onSuccess();
      return answer;
    } catch (error) {
      throw isWrongType(error) ? error : this.#onFailure(error);
    } finally {
      this.#inFlight--;
    }
  };

  /** The same for what our user need not be allowed to ask; the answer is then undefined. */
  readonly executeIfPermitted = async <Value>(
    question: (redis: Client) => Promise<Value>,
  ): Promise<Value | undefined> => {
    this.#requireCapacity();
    try {
      return await question(this.#connection.redis);
    } catch (error) {
      if (isAclDenied(error)) return undefined;
      throw this.#onFailure(error);
    }
  };

  #requireCapacity(): void {
    if (this.#connection.problem !== undefined) throw new RedisUnavailableError(this.#connection.problem);
    if (this.#inFlight < (this.#isThrottled() ? MAX_IN_FLIGHT_WHILE_FAILING : MAX_IN_FLIGHT)) return;
    const why = this.#isThrottled() ? ', and it does not answer' : '';
    throw new RedisUnavailableError(`${this.#inFlight} questions are under way${why}`);
  }

  #isThrottled(): boolean {
    return this.#consecutiveFailures >= FAILURES_BEFORE_THROTTLING;
  }

  #onSuccess(): void {
    this.#consecutiveFailures = 0;
    if (this.#problem === undefined) return;
    // Some keys may be refused, and others not: who asks for one and the other would have each of them told.
    this.#recoveryTimer ??= setTimeout(() => this.#onRecovery(), RECOVERY_MILLISECONDS).unref();
  }

  #onRecovery(): void {
    this.#recoveryTimer = undefined;
    this.#problem = undefined;
    if (this.#connection.problem === undefined) this.#onProblem(undefined);
  }

  #onFailure(error: unknown): RedisUnavailableError {
    const reason = this.#connection.explain(error instanceof Error ? error : new Error(String(error)));
    this.#consecutiveFailures = isReplyError(error) ? 0 : this.#consecutiveFailures + 1;
    clearTimeout(this.#recoveryTimer);
    this.#recoveryTimer = undefined;
    // One answer that does not come is no news; that Redis says no is.
    if (isReplyError(error) || this.#isThrottled()) {
      if (this.#problem === undefined) this.#onProblem(reason);
      this.#problem = reason;
    }
    return new RedisUnavailableError(reason);
  }
}

/** Redis itself said no: it is there. */
function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

function isAclDenied(error: unknown): boolean {
  return isReplyError(error) && error.message.startsWith('NOPERM');
}

/** Another kind of value stands under a key: that is an answer. */
export function isWrongType(error: unknown): error is Error {
  return isReplyError(error) && error.message.startsWith('WRONGTYPE');
}
