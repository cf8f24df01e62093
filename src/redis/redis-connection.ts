import { Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from './redis-url.ts';

const COMMAND_MILLISECONDS = 500;

/** ioredis waits for ever by default, for a server that is away as for one that is silent. We answer 503 instead. */
const boundedWaiting = {
  connectTimeout: 2000,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 2000),
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

/** A connection, and why it may not be asked at the moment: it is down, or not in the database that it should be in. */
export interface RedisConnection {
  readonly redis: Redis;
  readonly problem: string | undefined;
}

/**
 * Opens a connection. It is there as soon as the first attempt has succeeded or failed, and goes on trying by itself.
 *
 * @param onConnection told of each change of its state: `undefined` is up, a text says why it is down
 * @param commandTimeout how long an answer may take, in milliseconds
 */
export async function openRedis(
  { connection: target, database }: RedisAddress,
  onConnection: (problem: string | undefined) => void,
  commandTimeout = COMMAND_MILLISECONDS,
): Promise<RedisConnection> {
  const redis = new Redis({ ...target, ...boundedWaiting, commandTimeout });
  const connection: { readonly redis: Redis; problem: string | undefined } = { redis, problem: 'not connected yet' };
  const report = onlyChanges((problem) => {
    connection.problem = problem;
    onConnection(problem);
  });
  const fail = (error: Error) => report(explain(error));
  const select = () => (database === 0 ? Promise.resolve() : redis.select(database));
  redis.on('close', () => {
    connection.problem ??= 'the connection was lost';
  });
  redis.on('error', (error) => {
    if (redis.status !== 'ready') fail(error);
  });
  await new Promise<void>((resolve) => {
    redis.on('ready', () => {
      select()
        .then(() => report(undefined), fail)
        .finally(resolve);
    });
    redis.once('error', () => resolve());
  });
  return connection;
}

/** Redis answered, and will not serve us: waiting does not mend that. */
const REFUSALS = /\b(?:WRONGPASS|NOAUTH|NOPERM|ERR AUTH)\b/;

function explain({ message }: Error): string {
  if (!REFUSALS.test(message)) return message;
  return `it refuses us, see user and password in COUNTERSIGN_REDIS_URL: ${message}`;
}

/** ioredis reports every failed attempt; once is enough for the same problem. */
function onlyChanges(report: (problem: string | undefined) => void): (problem: string | undefined) => void {
  let last: string | undefined;
  return (problem) => {
    if (problem !== undefined && problem === last) return;
    last = problem;
    report(problem);
  };
}
