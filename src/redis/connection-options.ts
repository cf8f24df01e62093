import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import type { RedisAddress } from './redis-address.ts';
import { QuietSentinelConnector } from './sentinel-connector.ts';

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
const boundedWaiting = {
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
    ...boundedWaiting,
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
    sentinelRetryStrategy: boundedWaiting.retryStrategy,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(isEncrypted && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  } satisfies RedisOptions;
}
