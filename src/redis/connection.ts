import type { Cluster, Redis } from 'ioredis';
import { type ConnectOptions, connect } from './connect.ts';
import { type ErrorExplainer, explainClose, explainerFor } from './explain.ts';
import { explainPerNode } from './explain-nodes.ts';
import { createRetry, reconnectOnEnd } from './reconnect.ts';
import type { RedisAddress } from './url.ts';

export interface RedisConnectionOptions extends ConnectOptions {
  /** Told of each change of its state: `undefined` is up, a text says why it is down. */
  readonly onStatusChange: (problem: string | undefined) => void;
}

/** A connection, and why it may not be asked at the moment: it is down, or not in the database that it should be in. */
export interface RedisConnection {
  readonly redis: Redis | Cluster;
  readonly problem: string | undefined;
  readonly explain: ErrorExplainer;
  /** Ends it for good. */
  close(): void;
}

/**
 * Opens a connection to a server, to the master that sentinels name, or to a cluster. It is there as soon as the first
 * attempt has succeeded or failed, and goes on trying by itself.
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const connection = new ReconnectingConnection(options);
  await connection.firstAttempt;
  return connection;
}

/** A little more than a connection may take: then it is known why there is none. */
const FIRST_ATTEMPT_TIMEOUT_MILLISECONDS = 2_500;
/** ioredis between two attempts, when it has asked no sentinel yet. */
const UNINFORMATIVE_ERROR = /^All sentinels are unreachable\. Retrying from scratch after \d+ms\.$/;
const NOT_CONNECTED_YET = 'not connected yet';

/** Knows of a connection that is made again and again whether it is up, and else why not. */
class ReconnectingConnection implements RedisConnection {
  readonly redis: Redis | Cluster;
  readonly explain: ErrorExplainer;
  problem: string | undefined = NOT_CONNECTED_YET;
  readonly #options: RedisConnectionOptions;
  readonly #reportStatus: RedisConnectionOptions['onStatusChange'];
  readonly #firstAttempt = Promise.withResolvers<void>();
  readonly #reconnectRetry = createRetry(() => this.#reconnect());
  #wasReady = false;
  #hasBeenClosed = false;
  #isClosed = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.explain = explainerFor(options);
    this.#reportStatus = throttlePerMessage(options.onStatusChange);
    this.redis = connect(options, () => this.#isAbandoned());
    reconnectOnEnd(this.redis, () => this.#isClosed || this.#isAbandoned());
    this.redis.on('ready', () => this.#onReady());
    this.redis.on('error', (error: Error) => this.#onError(error));
    this.redis.on('close', () => this.#onClose());
    setTimeout(() => this.#onFirstAttemptTimeout(), FIRST_ATTEMPT_TIMEOUT_MILLISECONDS).unref();
  }

  /** Over when the first attempt has succeeded or failed. */
  get firstAttempt(): Promise<void> {
    return this.#firstAttempt.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.redis.disconnect();
  }

  #isAbandoned(): boolean {
    return this.#wasReady && this.#options.isBulk === true;
  }

  /** It is connected, though perhaps not in its database: ioredis only mentions that a SELECT failed. */
  async #onReady(): Promise<void> {
    this.#wasReady = true;
    try {
      await this.#selectDatabase();
    } catch (error) {
      this.#report(await explainPerNode(error as Error, this.#options));
      this.#reconnectRetry.failed();
      return;
    }
    this.#reconnectRetry.succeeded();
    this.#report(undefined);
  }

  async #selectDatabase(): Promise<void> {
    const { kind, database } = this.#options.address;
    if (database !== 0 && kind !== 'cluster') await this.redis.select(database);
  }

  async #onError(error: Error): Promise<void> {
    if (this.#isReady() || UNINFORMATIVE_ERROR.test(error.message)) return;
    const problem = await explainPerNode(error, this.#options);
    // To find that out takes a while.
    if (!this.#isReady()) this.#report(problem);
  }

  #onClose(): void {
    this.#hasBeenClosed = true;
    this.problem ??= 'the connection was lost';
  }

  #onFirstAttemptTimeout(): void {
    if (this.problem !== NOT_CONNECTED_YET) return;
    this.#report(explainTimeout(this.#options.address, this.#hasBeenClosed, this.redis.status));
  }

  #reconnect(): void {
    if (this.#isReady()) this.redis.disconnect(true);
  }

  #isReady(): boolean {
    return this.redis.status === 'ready';
  }

  #report(problem: string | undefined): void {
    this.problem = problem;
    this.#reportStatus(problem);
    this.#firstAttempt.resolve();
  }
}

/** There is neither an error nor an answer. */
function explainTimeout({ kind, isEncrypted }: RedisAddress, hasClosed: boolean, status: string): string {
  if (kind === 'cluster' && hasClosed) return 'its nodes do not say that they are ready, see CLUSTER INFO';
  if (hasClosed) return explainClose(isEncrypted);
  return status === 'connect' ? 'it takes connections and does not answer' : 'it does not answer';
}

const REPORT_AGAIN_AFTER_MILLISECONDS = 60_000;
const MAX_TRACKED_PROBLEMS = 20;

/**
 * Hands problems on, and (undefined) that there is none. ioredis reports every failed attempt, and for one state more
 * than one reason; each is told once a minute, until all is well.
 */
export function throttlePerMessage(
  report: (problem: string | undefined) => void,
): (problem: string | undefined) => void {
  const reportedAt = new Map<string, number>();
  return (problem) => {
    if (problem === undefined) reportedAt.clear();
    else {
      const last = reportedAt.get(problem);
      if (last !== undefined && performance.now() - last < REPORT_AGAIN_AFTER_MILLISECONDS) return;
      if (reportedAt.size > MAX_TRACKED_PROBLEMS) reportedAt.clear();
      reportedAt.set(problem, performance.now());
    }
    report(problem);
  };
}
