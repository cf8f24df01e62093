import type { Cluster, Redis } from 'ioredis';
import { type ConnectOptions, connect } from './connect.ts';
import { type ErrorExplainer, explainClose, explainerFor } from './explain.ts';
import { explainPerNode } from './explain-nodes.ts';
import { createRetry, reconnectOnEnd } from './reconnect.ts';
import { requireOk } from './reply-shapes.ts';
import type { RedisAddress } from './url.ts';

interface RedisConnectionOptions extends ConnectOptions {
  /** Called after each attempt with the problem, or with undefined once the connection is up. */
  readonly onStatusChange: (problem: string | undefined) => void;
  /** Called when a sentinel refuses to announce failovers, with the sentinel and the reason. */
  readonly onSentinelRefusal?: (problem: string) => void;
}

export interface RedisConnection {
  readonly redis: Redis | Cluster;
  /** Why no command can be sent now (disconnected, or in the wrong database); undefined while the connection is up. */
  readonly problem: string | undefined;
  readonly explain: ErrorExplainer;
  /** Disconnects, and does not reconnect. */
  close(): void;
}

/**
 * Opens a connection to a server, to the master that Sentinel names, or to a cluster. Resolves once the first attempt
 * has succeeded or failed; the connection keeps retrying on its own.
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const connection = new ReconnectingConnection(options);
  await connection.firstAttempt;
  return connection;
}

/** A little more than the connect timeout: by then ioredis has usually reported the cause. */
const FIRST_ATTEMPT_TIMEOUT_MILLISECONDS = 2_500;
/** Reported by ioredis between two attempts, before it has asked any sentinel. */
const UNINFORMATIVE_ERROR = /^All sentinels are unreachable\. Retrying from scratch after \d+ms\.$/;
const NOT_CONNECTED_YET = 'not connected yet';

/** Knows whether the connection is up, and the problem while it is not. */
class ReconnectingConnection implements RedisConnection {
  readonly redis: Redis | Cluster;
  readonly explain: ErrorExplainer;
  problem: string | undefined = NOT_CONNECTED_YET;
  readonly #options: RedisConnectionOptions;
  readonly #firstAttempt = Promise.withResolvers<void>();
  readonly #selectRetry = createRetry(() => this.#reconnect());
  /** The last one of the present attempt to connect to a cluster, until an error is reported. */
  #nodeError: Error | undefined;
  #wasReady = false;
  #wasDisconnected = false;
  #isClosed = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.explain = explainerFor(options, () => this.#wasReady);
    this.redis = connect(options, () => this.#isAbandoned());
    reconnectOnEnd(this.redis, () => this.#isClosed || this.#isAbandoned());
    this.redis.on('ready', () => this.#onReady());
    this.redis.on('error', (error: Error) => this.#onError(error));
    this.redis.on('close', () => this.#onClose());
    this.redis.on('sentinel refusal', (error: Error) => options.onSentinelRefusal?.(this.explain(error)));
    // A cluster that fails to connect may emit nothing else.
    this.redis.on('node error', (error: Error) => {
      if (!this.#isReady()) this.#nodeError = error;
    });
    this.redis.on('connecting', () => {
      this.#nodeError = undefined;
    });
    setTimeout(() => this.#onFirstAttemptTimeout(), FIRST_ATTEMPT_TIMEOUT_MILLISECONDS).unref();
  }

  /** Resolves once the first attempt has succeeded or failed. */
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

  async #onReady(): Promise<void> {
    this.#wasReady = true;
    try {
      await this.#selectDatabase();
    } catch (error) {
      // ioredis rejects with errors only.
      this.#report(await explainPerNode(error as Error, this.#options, this.explain));
      this.#selectRetry.failed();
      return;
    }
    this.#selectRetry.succeeded();
    this.#report(undefined);
  }

  /**
   * Selects the database ourselves: when its own SELECT fails, ioredis emits an error and stays in database 0. With
   * `select` in place of `call`, it would send SELECT after a reconnection as well.
   */
  async #selectDatabase(): Promise<void> {
    const { kind, database } = this.#options.address;
    if (database !== 0 && kind !== 'cluster') requireOk(await this.redis.call('SELECT', database), 'SELECT');
  }

  async #onError(error: Error): Promise<void> {
    if (UNINFORMATIVE_ERROR.test(error.message)) return;
    if (this.#isReady()) return this.#onErrorWhileReady(error);
    this.#nodeError = undefined;
    const problem = await explainPerNode(error, this.#options, this.explain);
    // Probing the nodes takes a while; the connection may be up by now.
    if (!this.#isReady()) this.#report(problem);
  }

  /** A reply that ends the connection is a problem. Its loss alone is not: the next attempt follows at once. */
  #onErrorWhileReady(error: Error): void {
    if (!('syscall' in error)) this.#options.onStatusChange(this.explain(error));
  }

  #onClose(): void {
    this.#wasDisconnected = true;
    this.problem ??= 'connection lost';
    if (this.#nodeError) this.#onError(this.#nodeError);
  }

  #onFirstAttemptTimeout(): void {
    if (this.problem !== NOT_CONNECTED_YET) return;
    this.#report(explainTimeout(this.#options.address, this.#wasDisconnected, this.redis.status));
  }

  #reconnect(): void {
    if (this.#isReady()) this.redis.disconnect(true);
  }

  #isReady(): boolean {
    return this.redis.status === 'ready';
  }

  #report(problem: string | undefined): void {
    this.problem = problem;
    this.#options.onStatusChange(problem);
    this.#firstAttempt.resolve();
  }
}

/** For a connection that is neither ready nor has failed with an error. */
function explainTimeout({ kind, isEncrypted }: RedisAddress, wasDisconnected: boolean, status: string): string {
  if (kind === 'cluster' && wasDisconnected)
    return 'the cluster nodes do not report that they are ready: check CLUSTER INFO';
  if (wasDisconnected) return explainClose(isEncrypted);
  return status === 'connect' ? 'the server accepts connections but does not respond' : 'the server does not respond';
}
