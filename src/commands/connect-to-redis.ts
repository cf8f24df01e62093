import { OperatorError } from '../errors/operator-error.ts';
import { openRedis, type RedisConnection } from '../redis/connection.ts';
import type { RedisConfig } from '../settings/redis.ts';
import { printProblem } from './output/errors.ts';

interface ConnectOptions {
  readonly commandTimeoutMilliseconds: number;
  readonly isBulk?: boolean;
}

const WAITING_AFTER_MILLISECONDS = 1_000;

/**
 * Connects a command to Redis. It gives up after 2.5 seconds, and reports after one second what it is waiting for.
 *
 * @throws {OperatorError} when Redis is unreachable
 */
export async function connectToRedis(redis: RedisConfig, options: ConnectOptions): Promise<RedisConnection> {
  const { description } = redis.address;
  const waiting = setTimeout(() => printProblem(`waiting for Redis at ${description} …`), WAITING_AFTER_MILLISECONDS);
  const connection = await openRedis({ ...redis, ...options, onStatusChange: () => {} });
  clearTimeout(waiting);
  if (connection.problem === undefined) return connection;
  connection.close();
  throw new OperatorError([`COUNTERSIGN_REDIS_URL: cannot reach Redis at ${description}: ${connection.problem}`]);
}
