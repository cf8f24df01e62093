import type { Cluster, Redis } from 'ioredis';
import { type ConnectOptions, connect } from './connect.ts';
import { type Explain, explainEnd, explainFor } from './explain.ts';
import { explainWithNodes } from './explain-nodes.ts';
import { createRetry, reconnectOnEnd } from './reconnect.ts';
import type { RedisAddress } from './url.ts';

export interface RedisConnectionOptions extends ConnectOptions {
  /** Told of each change of its state: `undefined` is up, a text says why it is down. */
  readonly onConnection: (problem: string | undefined) => void;
}

/** A connection, and why it may not be asked at the moment: it is down, or not in the database that it should be in. */
export interface RedisConnection {
  readonly redis: Redis | Cluster;
  readonly problem: string | undefined;
  readonly explain: Explain;
  /** Ends it for good. */
  close(): void;
}

/**
 * Opens a connection to a server, to the master that sentinels name, or to a cluster. It is there as soon as the first
 * attempt has succeeded or failed, and goes on trying by itself.
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const connection = new LastingConnection(options);
  await connection.attempted;
  return connection;
}

/** A little more than a connection may take: then it is known why there is none. */
const FIRST_ATTEMPT_MILLISECONDS = 2_500;
/** ioredis between two attempts, when it has asked no sentinel yet. */
const SILENT = /^All sentinels are unreachable\. Retrying from scratch after \d+ms\.$/;
const NOT_YET = 'not connected yet';

/** Knows of a connection that is made again and again whether it is up, and else why not. */
class LastingConnection implements RedisConnection {
  readonly redis: Redis | Cluster;
  readonly explain: Explain;
  problem: string | undefined = NOT_YET;
  readonly #options: RedisConnectionOptions;
  readonly #tell: RedisConnectionOptions['onConnection'];
  readonly #attempted = Promise.withResolvers<void>();
  readonly #again = createRetry(() => this.#reconnect());
  #wasUp = false;
  #hasClosed = false;
  #isOver = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
    this.explain = explainFor(options);
    this.#tell = throttlePerMessage(options.onConnection);
    this.redis = connect(options, () => this.#isGivenUp());
    reconnectOnEnd(this.redis, () => this.#isOver || this.#isGivenUp());
    this.redis.on('ready', () => this.#enter());
    this.redis.on('error', (error: Error) => this.#failed(error));
    this.redis.on('close', () => this.#lost());
    setTimeout(() => this.#stillSilent(), FIRST_ATTEMPT_MILLISECONDS).unref();
  }

  /** Over when the first attempt has succeeded or failed. */
  get attempted(): Promise<void> {
    return this.#attempted.promise;
  }

  close(): void {
    this.#isOver = true;
    this.redis.disconnect();
  }

  #isGivenUp(): boolean {
    return this.#wasUp && this.#options.isBulk === true;
  }

  /** It is connected, though perhaps not in its database: ioredis only mentions that a SELECT failed. */
  async #enter(): Promise<void> {
    this.#wasUp = true;
    try {
      await this.#select();
    } catch (error) {
      this.#report(await explainWithNodes(error as Error, this.#options));
      this.#again.failed();
      return;
    }
    this.#again.succeeded();
    this.#report(undefined);
  }

  async #select(): Promise<void> {
    const { kind, database } = this.#options.address;
    if (database !== 0 && kind !== 'cluster') await this.redis.select(database);
  }

  async #failed(error: Error): Promise<void> {
    if (this.#isReady() || SILENT.test(error.message)) return;
    const problem = await explainWithNodes(error, this.#options);
    // To find that out takes a while.
    if (!this.#isReady()) this.#report(problem);
  }

  #lost(): void {
    this.#hasClosed = true;
    this.problem ??= 'the connection was lost';
  }

  #stillSilent(): void {
    if (this.problem !== NOT_YET) return;
    this.#report(explainSilence(this.#options.address, this.#hasClosed, this.redis.status));
  }

  #reconnect(): void {
    if (this.#isReady()) this.redis.disconnect(true);
  }

  #isReady(): boolean {
    return this.redis.status === 'ready';
  }

  #report(problem: string | undefined): void {
    this.problem = problem;
    this.#tell(problem);
    this.#attempted.resolve();
  }
}

/** There is neither an error nor an answer. */
function explainSilence({ kind, isEncrypted }: RedisAddress, hasClosed: boolean, status: string): string {
  if (kind === 'cluster' && hasClosed) return 'its nodes do not say that they are ready, see CLUSTER INFO';
  if (hasClosed) return explainEnd(isEncrypted);
  return status === 'connect' ? 'it takes connections and does not answer' : 'it does not answer';
}

const AGAIN_AFTER_MILLISECONDS = 60_000;
const MAX_REASONS = 20;

/**
 * Hands problems on, and (undefined) that there is none. ioredis reports every failed attempt, and for one state more
 * than one reason; each is told once a minute, until all is well.
 */
export function throttlePerMessage(tell: (problem: string | undefined) => void): (problem: string | undefined) => void {
  const told = new Map<string, number>();
  return (problem) => {
    if (problem === undefined) told.clear();
    else {
      const last = told.get(problem);
      if (last !== undefined && performance.now() - last < AGAIN_AFTER_MILLISECONDS) return;
      if (told.size > MAX_REASONS) told.clear();
      told.set(problem, performance.now());
    }
    tell(problem);
  };
}
