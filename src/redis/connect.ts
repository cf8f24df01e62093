import { Cluster, Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from './connection-options.ts';

export interface ConnectOptions extends RedisAccess {
  /** How long an answer may take before its command counts as failed, in milliseconds. */
  readonly commandMilliseconds: number;
  /**
   * For work in bulk: sends what is asked in one turn of the event loop together, and makes no other connection when one
   * is lost. What is asked after that fails at once, and waits for nobody.
   */
  readonly isBulk?: boolean;
}

/**
 * Begins to connect to a server, to the master that sentinels name, or to a cluster, and begins again when that fails
 * or the connection is lost.
 *
 * @param isOver asked when a connection was lost, whether there shall be no other
 */
export function connect(options: ConnectOptions, isOver: () => boolean): Redis | Cluster {
  const { address, isBulk = false, commandMilliseconds } = options;
  const { retryStrategy, ...common } = connectionOptions(options, commandMilliseconds);
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
