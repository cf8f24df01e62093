import { isIP } from 'node:net';
import { type Cluster, Redis, type RedisOptions } from 'ioredis';
import { supportForeignCurves } from '../peer-certificates.ts';
import { ReportingCluster, refreshSlotsPeriodically } from './cluster.ts';
import { containErrors } from './contained-errors.ts';
import { FailoverSafeSentinelConnector } from './sentinel-connector.ts';
import type { RedisAddress } from './url.ts';

// Every connection is made with the options of this file.
containErrors();
supportForeignCurves();

/** Where Redis is, and the TLS credentials that we present there. */
export interface RedisAccess {
  readonly address: RedisAddress;
  readonly tls: RedisTls;
}

/**
 * PEM, read once per connection, so that renewed files apply to the next one. Without `ca`, the system's CA certificates
 * verify the server. `cert` and `key` are the client certificate and its private key.
 */
export interface RedisTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface ConnectOptions extends RedisAccess {
  /** How long a reply may take before its command counts as failed. */
  readonly commandTimeoutMilliseconds: number;
  /**
   * For bulk work: pipelines the commands of one turn of the event loop (except in a cluster), and does not reconnect
   * once an established connection is lost. Later commands then fail at once.
   */
  readonly isBulk?: boolean;
}

/**
 * Starts connecting to a server, to the master that Sentinel names, or to a cluster. Retries with a growing delay when an
 * attempt fails or the connection is lost.
 *
 * @param isClosed asked after a connection is lost: true means do not reconnect
 */
export function connect(options: ConnectOptions, isClosed: () => boolean): Redis | Cluster {
  const { address, isBulk = false, commandTimeoutMilliseconds } = options;
  const { retryStrategy, ...common } = connectionOptions(options, commandTimeoutMilliseconds);
  const retry = (attempt: number) => (isClosed() ? null : retryStrategy(attempt));
  if (address.kind !== 'cluster') {
    return followCredentials(new Redis({ ...common, retryStrategy: retry, enableAutoPipelining: isBulk }), address);
  }
  const { enableOfflineQueue: _, ...redisOptions } = common;
  const cluster = new ReportingCluster([...address.nodes], {
    redisOptions,
    // A node is connected to on its first command; commands wait in the queue meanwhile.
    enableOfflineQueue: true,
    // No automatic pipelining: during a slot migration, one ASK reply redirects a whole pipeline to the other node.
    clusterRetryStrategy: retry,
    // Fail at once: a waiting request has no time for a second attempt.
    retryDelayOnFailover: 0,
    // Keep host names, since the server certificates are issued for them.
    dnsLookup: (host, callback) => callback(null, host),
  });
  // Emitted before it connects.
  cluster.on('+node', (node: Redis) => useCredentials(node, address));
  refreshSlotsPeriodically(cluster);
  return cluster;
}

/** Each further connection uses the credentials of the address as they are then. */
export function followCredentials(redis: Redis, address: RedisAddress): Redis {
  return redis.on('close', () => useCredentials(redis, address));
}

/** Without a user, ioredis sends the password alone. */
function useCredentials({ options }: Redis, { credentials }: RedisAddress): void {
  const { username, password } = credentials;
  Object.assign(options, { username, password });
}

/** By default, ioredis waits forever for a server that is down or does not respond. We respond with 503 instead. */
const boundedWaits = {
  connectTimeout: 2000,
  // An unresponsive server does not close its side either.
  disconnectTimeout: 50,
  enableOfflineQueue: false,
  // Commands in flight fail at once when a connection ends. With retries, ioredis loses them when it reconnects.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // The first one soon: what is not announced meanwhile has to be in force within a second (`heartbeat.ts`).
  retryStrategy: (attempt: number) => (attempt === 1 ? 20 : Math.min(50 * 2 ** attempt, 2000)),
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

/**
 * The ioredis options of one connection: to a server, to a cluster node, or to the master that Sentinel names.
 *
 * @param commandTimeout milliseconds that a reply may take before its command counts as failed
 */
export function connectionOptions({ address, tls }: RedisAccess, commandTimeout: number) {
  return {
    ...boundedWaits,
    ...address.credentials,
    commandTimeout,
    disableClientInfo: true,
    ...(address.isEncrypted && { tls }),
    ...targetOptions(address, tls),
  } satisfies RedisOptions;
}

/** Where to connect to. Cluster nodes are passed separately. */
function targetOptions(address: RedisAddress, tls: RedisTls) {
  switch (address.kind) {
    case 'socket':
      return { path: address.path };
    case 'server': {
      const { host } = address.endpoint;
      // SNI never holds an IP address (RFC 6066 §3); Node then checks the certificate against the address.
      const isNamed = address.isEncrypted && isIP(host) === 0;
      return { ...address.endpoint, ...(isNamed && { tls: withServerName(tls, host) }) };
    }
    case 'sentinel':
      return sentinelOptions(address, tls);
    case 'cluster':
      return {};
  }
}

/** Delegates each read, so that the next connection uses renewed files. */
function withServerName(tls: RedisTls, servername: string): RedisTls & { readonly servername: string } {
  return {
    servername,
    get ca() {
      return tls.ca;
    },
    get cert() {
      return tls.cert;
    },
    get key() {
      return tls.key;
    },
  };
}

function sentinelOptions(
  { sentinels, master, sentinelCredentials, isEncrypted }: Extract<RedisAddress, { kind: 'sentinel' }>,
  tls: RedisTls,
) {
  const { username, password } = sentinelCredentials;
  return {
    Connector: FailoverSafeSentinelConnector,
    sentinels: [...sentinels],
    name: master,
    sentinelCommandTimeout: 1000,
    // A replaced master that is still alive keeps replying for ten seconds or more.
    failoverDetector: true,
    sentinelRetryStrategy: boundedWaits.retryStrategy,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(isEncrypted && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  } satisfies RedisOptions;
}
