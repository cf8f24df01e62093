import { isIP } from 'node:net';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { QuietSentinelConnector } from './sentinel-connector.ts';
import type { RedisAddress } from './url.ts';

export interface ConnectOptions extends RedisAccess {
  /** How long an answer may take before its command counts as failed, in milliseconds. */
  readonly commandTimeoutMilliseconds: number;
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
 * @param isClosed asked when a connection was lost, whether there shall be no other
 */
export function connect(options: ConnectOptions, isClosed: () => boolean): Redis | Cluster {
  const { address, isBulk = false, commandTimeoutMilliseconds } = options;
  const { retryStrategy, ...common } = connectionOptions(options, commandTimeoutMilliseconds);
  const retry = (attempt: number) => (isClosed() ? null : retryStrategy(attempt));
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
  refreshSlotsPeriodically(cluster);
  return cluster;
}

const SLOTS_REFRESH_MILLISECONDS = 1_000;

/**
 * Asks again and again which node has which slots. What ioredis does for that (`slotsRefreshInterval`) goes on for ever
 * where the connection is closed while it asks, and keeps the process from ending.
 */
function refreshSlotsPeriodically(cluster: Cluster): void {
  let timer: NodeJS.Timeout | undefined;
  cluster.on('close', () => clearInterval(timer));
  cluster.on('ready', () => {
    clearInterval(timer);
    timer = setInterval(() => cluster.refreshSlotsCache(), SLOTS_REFRESH_MILLISECONDS).unref();
  });
}

/** ca: of the server's certificate; without, those of the system. cert and key: our own. PEM, asked at each connection. */
export interface RedisTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Where Redis is, and how we prove who we are. */
export interface RedisAccess {
  readonly address: RedisAddress;
  readonly tls: RedisTls;
}

/** ioredis waits for ever by default, for a server that is away as for one that is silent. We answer 503 instead. */
const boundedWaits = {
  connectTimeout: 2000,
  // A server that is silent does not say goodbye either.
  disconnectTimeout: 50,
  enableOfflineQueue: false,
  // What is under way when a connection ends fails at once. With more, ioredis forgets it as soon as it is connected again.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 2000),
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

/**
 * What ioredis needs to know for one connection, to a server, to a node of a cluster, or to the master that sentinels
 * name.
 *
 * @param commandTimeout how long an answer may take before its command counts as failed, in milliseconds
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

/** Where to connect to; of a cluster's nodes that is said for each. */
function targetOptions(address: RedisAddress, tls: RedisTls) {
  switch (address.kind) {
    case 'socket':
      return { path: address.path };
    case 'server': {
      const { host } = address.endpoint;
      // A server name is never an address (RFC 6066 §3); the certificate is then checked for the address.
      const isNamed = address.isEncrypted && isIP(host) === 0;
      return { ...address.endpoint, ...(isNamed && { tls: withServerName(tls, host) }) };
    }
    case 'sentinel':
      return sentinelOptions(address, tls);
    case 'cluster':
      return {};
  }
}

/** Hands each question on, so that what is renewed is used by the next connection. */
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
    Connector: QuietSentinelConnector,
    sentinels: [...sentinels],
    name: master,
    sentinelCommandTimeout: 1000,
    // A master that was replaced and is still alive goes on answering, for ten seconds or more.
    failoverDetector: true,
    sentinelRetryStrategy: boundedWaits.retryStrategy,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(isEncrypted && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  } satisfies RedisOptions;
}
