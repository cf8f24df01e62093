import type { RedisConnection } from './connection.ts';
import { isErrorReply, UnexpectedReplyError } from './reply-shapes.ts';

/** Redis cannot be reached, rejects the command, or is not ready. The message holds the reason. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/** The ACL denies the command. The message names the rule that is missing. */
export class AclDeniedError extends RedisUnavailableError {}

type Client = RedisConnection['redis'];

/**
 * Executes one command, and resolves with its reply.
 *
 * @throws {RedisUnavailableError} with the reason; a WRONGTYPE reply is thrown as it is, see {@link isWrongType}
 */
export type CommandExecutor = <Value>(command: (redis: Client) => Promise<Value>) => Promise<Value>;

interface GuardEvents {
  /** Called when commands fail although the connection is up, for another reason than before; with undefined on recovery. */
  readonly onProblem: (problem: string | undefined) => void;
  /** Called before each command. */
  readonly onCommand: () => void;
}

const MAX_IN_FLIGHT = 5_000;
/** Enough to notice that Redis responds again. */
const MAX_IN_FLIGHT_WHILE_FAILING = 8;
const FAILURES_BEFORE_THROTTLING = 3;
/** A problem is over after a successful command and no failure for this long. */
const RECOVERY_MILLISECONDS = 1_000;

/**
 * A bulkhead in front of Redis: commands fail at once while the connection is down, and do not pile up in front of an
 * unresponsive server. After three failures in a row, only a few may be in flight.
 */
export class GuardedRedis {
  readonly #connection: RedisConnection;
  readonly #events: GuardEvents;
  #inFlight = 0;
  #consecutiveFailures = 0;
  #problem: string | undefined;
  #recoveryTimer: NodeJS.Timeout | undefined;

  constructor(connection: RedisConnection, events: GuardEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  /** Why Redis cannot be used, as far as known; undefined while commands succeed. */
  get problem(): string | undefined {
    return this.#connection.problem ?? this.#problem;
  }

  readonly execute: CommandExecutor = (command) => this.#run(command, (error) => this.#onFailure(error));

  /**
   * Like {@link execute}, for commands without which most requests succeed: if the ACL denies one, Redis has no problem.
   *
   * @throws {AclDeniedError}
   */
  readonly executeOptional: CommandExecutor = (command) =>
    this.#run(command, (error) =>
      isAclDenied(error) ? new AclDeniedError(this.#explain(error)) : this.#onFailure(error),
    );

  async #run<Value>(
    command: (redis: Client) => Promise<Value>,
    failure: (error: unknown) => RedisUnavailableError,
  ): Promise<Value> {
    this.#requireCapacity();
    this.#events.onCommand();
    this.#inFlight++;
    // Outcomes are recorded in the order in which they arrive, so that the last one counts.
    try {
      const reply = await command(this.#connection.redis);
      this.#onSuccess();
      return reply;
    } catch (error) {
      throw isWrongType(error) ? error : failure(error);
    } finally {
      this.#inFlight--;
    }
  }

  /** Like {@link execute}, for a command that the ACL may deny: resolves with undefined then. */
  readonly executeIfPermitted = async <Value>(
    command: (redis: Client) => Promise<Value>,
  ): Promise<Value | undefined> => {
    this.#requireCapacity();
    this.#events.onCommand();
    try {
      return await command(this.#connection.redis);
    } catch (error) {
      if (isAclDenied(error)) return undefined;
      throw this.#onFailure(error);
    }
  };

  #requireCapacity(): void {
    if (this.#connection.problem !== undefined) throw new RedisUnavailableError(this.#connection.problem);
    if (this.#inFlight < (this.#isThrottled() ? MAX_IN_FLIGHT_WHILE_FAILING : MAX_IN_FLIGHT)) return;
    const reason = this.#isThrottled() ? ', and the server does not respond' : '';
    throw new RedisUnavailableError(`${this.#inFlight} commands in flight${reason}`);
  }

  #isThrottled(): boolean {
    return this.#consecutiveFailures >= FAILURES_BEFORE_THROTTLING;
  }

  #onSuccess(): void {
    this.#consecutiveFailures = 0;
    if (this.#problem === undefined) return;
    // An ACL may permit some keys only; reads of both kinds would otherwise report a problem and a recovery each.
    this.#recoveryTimer ??= setTimeout(() => this.#onRecovery(), RECOVERY_MILLISECONDS).unref();
  }

  #onRecovery(): void {
    this.#recoveryTimer = undefined;
    this.#problem = undefined;
    if (this.#connection.problem === undefined) this.#events.onProblem(undefined);
  }

  #onFailure(error: unknown): RedisUnavailableError {
    const reason = this.#explain(error);
    const hasReplied = isErrorReply(error) || error instanceof UnexpectedReplyError;
    this.#consecutiveFailures = hasReplied ? 0 : this.#consecutiveFailures + 1;
    clearTimeout(this.#recoveryTimer);
    this.#recoveryTimer = undefined;
    // A single missing reply is not a problem yet; an error reply is.
    if (hasReplied || this.#isThrottled()) {
      if (reason !== this.#problem) this.#events.onProblem(reason);
      this.#problem = reason;
    }
    return new RedisUnavailableError(reason);
  }

  #explain(error: unknown): string {
    return this.#connection.explain(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Whether the key holds another type of value. Redis is available then. */
export function isWrongType(error: unknown): error is Error {
  return isErrorReply(error) && error.message.startsWith('WRONGTYPE');
}

function isAclDenied(error: unknown): error is Error {
  return isErrorReply(error) && error.message.startsWith('NOPERM');
}
