import type { RedisAccess } from '../../redis/connect.ts';
import { openRedis, type RedisConnection } from '../../redis/connection.ts';
import { GuardedRedis } from '../../redis/guarded-redis.ts';
import { dropWhenSilent } from '../../redis/heartbeat.ts';
import { throttleStatus } from '../../redis/throttle.ts';

/** Each is called on changes only. */
export interface ConnectionEvents {
  /** @param problem why Redis is unreachable; undefined once it is connected */
  readonly onConnection: (problem: string | undefined) => void;
  /** @param problem which sentinel refuses to announce failovers, and why */
  readonly onSentinelRefusal: (problem: string) => void;
}

/** The connection over which a registry reads, and the guard through which it sends its commands. */
export interface RegistryConnection {
  readonly connection: RedisConnection;
  readonly redis: GuardedRedis;
}

/** Longer than a request waits: a late reply still fills the cache for the next request. */
const COMMAND_TIMEOUT_MILLISECONDS = 1_000;

/**
 * Resolves after the first attempt to connect, whether or not that succeeds, and keeps trying.
 *
 * @param onConnected called after each further connection, which may be to another server
 */
export async function openRegistryConnection(
  access: RedisAccess,
  events: ConnectionEvents,
  onConnected: () => void,
): Promise<RegistryConnection> {
  const reportStatus = throttleStatus(events.onConnection);
  let redis: GuardedRedis | undefined;
  const connection = await openRedis({
    ...access,
    commandTimeoutMilliseconds: COMMAND_TIMEOUT_MILLISECONDS,
    onStatusChange: (problem) => {
      // A reply may end each connection. The first command that succeeds then reports the recovery.
      if (problem !== undefined || redis?.problem === undefined) reportStatus(problem);
      if (problem === undefined) onConnected();
    },
    onSentinelRefusal: throttleStatus((problem) => problem !== undefined && events.onSentinelRefusal(problem)),
  });
  dropWhenSilent(connection.redis);
  redis = new GuardedRedis(connection, reportStatus);
  return { connection, redis };
}
