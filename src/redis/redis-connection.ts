import { Cluster, Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from './connection-options.ts';
import { createRetry } from './create-retry.ts';
import { explainProblem } from './explain-problem.ts';

export interface RedisConnectionOptions extends RedisAccess {
  /** How long an answer may take before its command counts as failed, in milliseconds. */
  readonly commandMilliseconds: number;
  /** Sends what is asked in one turn of the event loop together, for work in bulk. */
  readonly isBulk?: boolean;
  /** Told of each change of its state: `undefined` is up, a text says why it is down. */
  readonly onConnection: (problem: string | undefined) => void;
}

/** A connection, and why it may not be asked at the moment: it is down, or not in the database that it should be in. */
export interface RedisConnection {
  readonly redis: Redis | Cluster;
  readonly problem: string | undefined;
}

/** A little more than a connection may take: then it is known why there is none. */
const FIRST_ATTEMPT_MILLISECONDS = 2_500;
const MAX_REASONS = 20;
/** ioredis between two attempts, when it has asked no sentinel yet. */
const SAYS_NOTHING = /^All sentinels are unreachable\. Retrying from scratch after \d+ms\.$/;

/**
 * Opens a connection to a server, to the master that sentinels name, or to a cluster. It is there as soon as the first
 * attempt has succeeded or failed, and goes on trying by itself.
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const { database, kind, isEncrypted } = options.address;
  const redis = connect(options);
  const connection: { readonly redis: typeof redis; problem: string | undefined } = {
    redis,
    problem: 'not connected yet',
  };
  const tell = onlyChanges(options.onConnection);
  const report = (problem: string | undefined) => {
    connection.problem = problem;
    tell(problem);
  };
  const fail = (error: Error) => report(explainProblem(error, isEncrypted));
  const select = () => (database === 0 || kind === 'cluster' ? Promise.resolve() : redis.select(database));
  const again = createRetry(() => redis.disconnect(true));
  redis.on('close', () => {
    connection.problem ??= 'the connection was lost';
  });
  redis.on('error', (error: Error) => {
    if (redis.status !== 'ready' && !SAYS_NOTHING.test(error.message)) fail(error);
  });
  await new Promise<void>((resolve) => {
    redis.on('ready', () => {
      select()
        .then(
          () => {
            again.succeeded();
            report(undefined);
          },
          (error: Error) => {
            fail(error);
            again.failed();
          },
        )
        .finally(resolve);
    });
    redis.once('error', () => resolve());
    setTimeout(resolve, FIRST_ATTEMPT_MILLISECONDS).unref();
  });
  return connection;
}

function connect({ address, tls, commandMilliseconds, isBulk = false }: RedisConnectionOptions): Redis | Cluster {
  const options = connectionOptions({ address, tls }, commandMilliseconds);
  if (address.kind !== 'cluster') {
    return new Redis({ ...options, enableAutoPipelining: isBulk });
  }
  const { retryStrategy, enableOfflineQueue: _, ...redisOptions } = options;
  return new Cluster([...address.nodes], {
    redisOptions,
    // Nodes are connected to when they are first asked: who asks meanwhile waits for that.
    enableOfflineQueue: true,
    enableAutoPipelining: isBulk,
    clusterRetryStrategy: retryStrategy,
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
