import type { RedisAccess } from './connect.ts';
import { openRedis, type RedisConnection } from './connection.ts';
import { dropWhenSilent } from './drop-when-silent.ts';
import { GuardedRedis } from './guarded-redis.ts';
import { Suspicion } from './suspicion.ts';
import { throttleStatus } from './throttle.ts';

/** Each is called on changes only. */
export interface ConnectionEvents {
  /** @param problem why Redis is unreachable; undefined once it is connected */
  readonly onConnection: (problem: string | undefined) => void;
  /** @param problem which sentinel refuses to announce failovers, and why */
  readonly onSentinelRefusal: (problem: string) => void;
}

/** A connection that is dropped when the server is silent, and the guard through which its commands are sent. */
export interface GuardedConnection {
  readonly connection: RedisConnection;
  readonly redis: GuardedRedis;
  /** Raised by connections to the same server that are probed all the time. */
  readonly suspicion: Suspicion;
}

/** Longer than a request waits: a late reply still fills the cache for the next request. */
const COMMAND_TIMEOUT_MILLISECONDS = 1_000;

/**
 * Resolves after the first attempt to connect, whether or not that succeeds, and keeps trying.
 *
 * @param onConnected called after each further connection, which may be to another server
 * @param suspicion shared with other connections to the same server
 */
export async function openGuardedConnection(
  access: RedisAccess,
  events: ConnectionEvents,
  onConnected: () => void,
  suspicion = new Suspicion(),
): Promise<GuardedConnection> {
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
  const onCommand = dropWhenSilent(connection.redis, suspicion);
  redis = new GuardedRedis(connection, { onProblem: reportStatus, onCommand });
  return { connection, redis, suspicion };
}
