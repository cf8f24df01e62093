import { Cluster, Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from './connection-options.ts';

export interface ConnectOptions extends RedisAccess {
  /** How long an answer may take before its command counts as failed, in milliseconds. */
  readonly commandMilliseconds: number;
  /**
   * For work in bulk: sends what is asked in one turn of the event loop together, but in a cluster, and makes no other
   * connection when one is lost. What is asked after that fails at once, and waits for nobody.
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
  const cluster = new Cluster([...address.nodes], {
    redisOptions,
    // Nodes are connected to when they are first asked: who asks meanwhile waits for that.
    enableOfflineQueue: true,
    // No automatic pipelines: while a slot moves, one answer ASK sends all of a pipeline to the other node.
    clusterRetryStrategy: retry,
    // Who waits for an answer has no time for a second attempt.
    retryDelayOnFailover: 0,
    // Names stay names: a server's certificate is for one.
    dnsLookup: (host, callback) => callback(null, host),
  });
  keepSlots(cluster);
  return cluster;
}

const SLOTS_MILLISECONDS = 1_000;

/**
 * Asks again and again which node has which slots. What ioredis does for that (`slotsRefreshInterval`) goes on for ever
 * where the connection is closed while it asks, and keeps the process from ending.
 */
function keepSlots(cluster: Cluster): void {
  let timer: NodeJS.Timeout | undefined;
  cluster.on('close', () => clearInterval(timer));
  cluster.on('ready', () => {
    clearInterval(timer);
    timer = setInterval(() => cluster.refreshSlotsCache(), SLOTS_MILLISECONDS).unref();
  });
}
