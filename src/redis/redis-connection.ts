import { Cluster, Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from './connection-options.ts';
import { createRetry } from './create-retry.ts';
import { type Explain, explainFor } from './explain-for.ts';
import { explainWithNodes } from './explain-nodes.ts';
import { explainEnd } from './explain-problem.ts';
import type { RedisAddress } from './redis-address.ts';

export interface RedisConnectionOptions extends RedisAccess {
  /** How long an answer may take before its command counts as failed, in milliseconds. */
  readonly commandMilliseconds: number;
  /**
   * For work in bulk: sends what is asked in one turn of the event loop together, and makes no other connection when one
   * is lost. What is asked after that fails at once, and waits for nobody.
   */
  readonly isBulk?: boolean;
  /** Told of each change of its state: `undefined` is up, a text says why it is down. */
  readonly onConnection: (problem: string | undefined) => void;
}

/** A connection, and why it may not be asked at the moment: it is down, or not in the database that it should be in. */
export interface RedisConnection {
  readonly redis: Redis | Cluster;
  readonly problem: string | undefined;
  readonly explain: Explain;
}

/** A little more than a connection may take: then it is known why there is none. */
const FIRST_ATTEMPT_MILLISECONDS = 2_500;
const MAX_REASONS = 20;
/** ioredis between two attempts, when it has asked no sentinel yet. */
const SAYS_NOTHING = /^All sentinels are unreachable\. Retrying from scratch after \d+ms\.$/;
const NOT_YET = 'not connected yet';

/**
 * Opens a connection to a server, to the master that sentinels name, or to a cluster. It is there as soon as the first
 * attempt has succeeded or failed, and goes on trying by itself.
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  let wasUp = false;
  const redis = connect(options, () => wasUp && options.isBulk === true);
  const connection = { redis, problem: NOT_YET as string | undefined, explain: explainFor(options) };
  const tell = onlyChanges(options.onConnection);
  const report = (problem: string | undefined) => {
    connection.problem = problem;
    tell(problem);
  };
  const explain = (error: Error) => explainWithNodes(error, options);
  const select = selecting(redis, options.address);
  const again = createRetry(() => {
    if (redis.status === 'ready') redis.disconnect(true);
  });
  let hasClosed = false;
  redis.on('close', () => {
    hasClosed = true;
    connection.problem ??= 'the connection was lost';
  });
  const failed = async (error: Error) => {
    const problem = await explain(error);
    if (redis.status !== 'ready') report(problem);
  };
  await new Promise<void>((resolve) => {
    redis.on('error', (error: Error) => {
      if (redis.status !== 'ready' && !SAYS_NOTHING.test(error.message)) failed(error).finally(resolve);
    });
    redis.on('ready', () => {
      wasUp = true;
      select()
        .then(
          () => {
            again.succeeded();
            report(undefined);
          },
          async (error: Error) => {
            report(await explain(error));
            again.failed();
          },
        )
        .finally(resolve);
    });
    setTimeout(() => {
      if (connection.problem === NOT_YET) report(explainSilence(options.address, hasClosed, redis.status));
      resolve();
    }, FIRST_ATTEMPT_MILLISECONDS).unref();
  });
  return connection;
}

function selecting(redis: Redis | Cluster, { database, kind }: RedisAddress): () => Promise<unknown> {
  return () => (database === 0 || kind === 'cluster' ? Promise.resolve() : redis.select(database));
}

/** There is neither an error nor an answer. */
function explainSilence({ kind, isEncrypted }: RedisAddress, hasClosed: boolean, status: string): string {
  if (kind === 'cluster' && hasClosed) return 'its nodes do not say that they are ready, see CLUSTER INFO';
  if (hasClosed) return explainEnd(isEncrypted);
  return status === 'connect' ? 'it takes connections and does not answer' : 'it does not answer';
}

/** @param isOver asked when a connection was lost, whether there shall be no other */
function connect(options: RedisConnectionOptions, isOver: () => boolean): Redis | Cluster {
  const { address, tls, commandMilliseconds, isBulk = false } = options;
  const { retryStrategy, ...common } = connectionOptions({ address, tls }, commandMilliseconds);
  const retry = (attempt: number) => (isOver() ? null : retryStrategy(attempt));
  if (address.kind !== 'cluster') {
    return new Redis({ ...common, retryStrategy: retry, enableAutoPipelining: isBulk });
  }
  const { enableOfflineQueue: _, ...redisOptions } = common;
  return new Cluster([...address.nodes], {
    redisOptions,
    // Nodes are connected to when they are first asked: who asks meanwhile waits for that.
    enableOfflineQueue: true,
    enableAutoPipelining: isBulk,
    clusterRetryStrategy: retry,
    slotsRefreshInterval: 1_000,
    // Who waits for an answer has no time for a second attempt.
    retryDelayOnFailover: 0,
    // Names stay names: a server's certificate is for one.
    dnsLookup: (host, callback) => callback(null, host),
  });
}

const TOLD_AGAIN_AFTER_MILLISECONDS = 60_000;

/** ioredis reports every failed attempt, and for one state more than one reason; each is told once a minute. */
function onlyChanges(report: (problem: string | undefined) => void): (problem: string | undefined) => void {
  const told = new Map<string, number>();
  return (problem) => {
    if (problem === undefined) told.clear();
    else {
      const last = told.get(problem);
      if (last !== undefined && performance.now() - last < TOLD_AGAIN_AFTER_MILLISECONDS) return;
      if (told.size > MAX_REASONS) told.clear();
      told.set(problem, performance.now());
    }
    report(problem);
  };
}
