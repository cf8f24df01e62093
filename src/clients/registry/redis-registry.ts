import type { Bounds } from '../../cache/bounded-cache.ts';
import { type Lifetimes, NearCache } from '../../cache/near-cache.ts';
import { invalidClient, OAuthError } from '../../oauth/oauth-error.ts';
import type { RedisAccess } from '../../redis/connect.ts';
import { openRedis, type RedisConnection } from '../../redis/connection.ts';
import { GuardedRedis } from '../../redis/guarded-redis.ts';
import { dropWhenSilent } from '../../redis/heartbeat.ts';
import type { InvalidationMode } from '../../redis/invalidation/connection.ts';
import { type InvalidationFeed, openInvalidationFeed } from '../../redis/invalidation/feed.ts';
import { throttleStatus } from '../../redis/throttle.ts';
import type { Client } from '../client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { createDataLossDetector, type DataLossDetector } from './data-loss.ts';
import { loadClient, type StoredClient } from './load-client.ts';
import { type Registry, type RegistryKeys, type RemoteState, registryKeys } from './registry.ts';

interface RedisRegistryOptions {
  readonly access: RedisAccess;
  /** Of all keys and channels; `countersign:` by default. */
  readonly keyPrefix: string;
  readonly cache: CacheSettings;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly events: RegistryEvents;
}

/** The size of the cache, the lifetimes of its entries, and how long a request waits for Redis. */
export interface CacheSettings {
  readonly bounds: Bounds;
  readonly lifetimes: Lifetimes;
  readonly loadTimeoutMilliseconds: number;
}

/** Each is called on changes only. */
export interface RegistryEvents {
  /** @param problem why Redis is unreachable; undefined once it is connected */
  readonly onConnection: (problem: string | undefined) => void;
  /** @param problem which sentinel refuses to announce failovers, and why */
  readonly onSentinelRefusal: (problem: string) => void;
  /** @param problem why Redis itself does not send invalidations; undefined if it does */
  readonly onInvalidationMode: (mode: InvalidationMode, problem: string | undefined) => void;
  /** @param isLost whether all records were lost, or restored */
  readonly onDataLoss: (isLost: boolean) => void;
}

/** Longer than a request waits: a late reply still fills the cache for the next request. */
const COMMAND_TIMEOUT_MILLISECONDS = 1_000;
/** Five PINGs, one of them in flight. A change is in force within a second, even if no invalidation arrives. */
const SYNCED_WITHIN_MILLISECONDS = 750;
/** How long a change by other writers may go unnoticed if only `countersign clients` publishes changes. */
const MAX_UNTRACKED_MILLISECONDS = 5_000;

/**
 * A registry over Redis: one JSON value for each client at `{prefix}client:{client_id}`, cached until Redis reports a
 * change. It resolves after the first attempt to connect, whether or not that succeeds, and keeps trying.
 */
export async function createRedisRegistry(options: RedisRegistryOptions): Promise<Registry> {
  const { access, policy, now, events } = options;
  const keys = registryKeys(options.keyPrefix);
  const reportStatus = throttleStatus(events.onConnection);
  let onConnected = () => {};
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
  const dataLoss = createDataLossDetector(redis, keys.marker, events.onDataLoss);
  const cache = new NearCache<StoredClient>({
    load: (clientId) => loadClient(clientId, { redis, prefix: keys.clientPrefix, dataLoss, policy, now }),
    isCovered: (loadedAt, now) => isCovered(feed, loadedAt, now),
    now: () => performance.now(),
    ...options.cache,
  });
  const feed = openFeed(connection, options, { keys, cache, dataLoss });
  // The new connection may be to another server, with other data and another ACL.
  onConnected = () => {
    revalidate(cache, dataLoss);
    startReadCheck(redis, keys.clientPrefix);
  };
  startDataLossCheck(dataLoss);
  startReadCheck(redis, keys.clientPrefix);
  return toRegistry({ connection, redis, dataLoss, cache, feed, keys, description: access.address.description });
}

interface CachedData {
  readonly keys: RegistryKeys;
  readonly cache: NearCache<StoredClient>;
  readonly dataLoss: DataLossDetector;
}

function openFeed(
  { redis }: RedisConnection,
  { access, events }: RedisRegistryOptions,
  { keys, cache, dataLoss }: CachedData,
): InvalidationFeed {
  return openInvalidationFeed(redis, {
    access,
    prefixes: [keys.clientPrefix, keys.marker],
    channel: keys.changesChannel,
    onInvalidate: (changed) => {
      for (const key of changed)
        if (key.startsWith(keys.clientPrefix)) cache.invalidate(key.slice(keys.clientPrefix.length));
      if (changed.includes(keys.marker)) startDataLossCheck(dataLoss);
    },
    onFlush: () => revalidate(cache, dataLoss),
    onMode: events.onInvalidationMode,
  });
}

function revalidate(cache: NearCache<StoredClient>, dataLoss: DataLossDetector): void {
  cache.markAllStale();
  startDataLossCheck(dataLoss);
}

/** If Redis is unavailable, the next lookup of a missing record checks again. */
function startDataLossCheck(dataLoss: DataLossDetector): void {
  dataLoss.hasLostData().catch(() => {});
}

/** The ACL may permit the marker, but not the records. No record has an empty `client_id`. */
function startReadCheck({ execute }: GuardedRedis, clientPrefix: string): void {
  execute((redis) => redis.get(clientPrefix)).catch(() => {});
}

/** Whether an invalidation would have arrived if a value that was loaded at `loadedAt` had changed. */
function isCovered(feed: InvalidationFeed, loadedAt: number, now: number): boolean {
  if (feed.mode === 'pubsub' && now - loadedAt > MAX_UNTRACKED_MILLISECONDS) return false;
  return now - feed.syncedUntil <= SYNCED_WITHIN_MILLISECONDS;
}

interface RegistryParts extends CachedData {
  readonly connection: RedisConnection;
  readonly redis: GuardedRedis;
  readonly feed: InvalidationFeed;
  /** Of the address of Redis. */
  readonly description: string;
}

function toRegistry({ connection, redis, dataLoss, cache, feed, keys, description }: RegistryParts): Registry {
  return {
    description: `Redis at ${description}, keys ${keys.clientPrefix}*`,
    find: (clientId) => findClient(clientId, cache, keys.clientPrefix),
    findByCertificate: async () => [],
    findResource: async () => undefined,
    get notReadyReason() {
      const { problem } = redis;
      const isServing = cache.hasUsableEntry();
      if (isServing && problem === undefined) return undefined;
      // Without requests, or while all clients are cached, nothing else would detect a failure or a recovery.
      startDataLossCheck(dataLoss);
      startReadCheck(redis, keys.clientPrefix);
      return isServing ? undefined : problem;
    },
    get remote() {
      return remoteState(redis, feed, cache);
    },
    close: async () => {
      feed.close();
      connection.close();
    },
  };
}

/** @throws {OAuthError} 503 if the lookup fails, `invalid_client` if the value is not a valid record */
async function findClient(
  clientId: string,
  cache: NearCache<StoredClient>,
  prefix: string,
): Promise<Client | undefined> {
  const key = `${prefix}${clientId}`;
  const stored = await cache.find(clientId).catch((error: unknown) => {
    throw lookupFailed(key, error);
  });
  if (stored.kind === 'invalid') throw invalidClient(`the value of ${key} is not a client record: ${stored.reason}`);
  return stored.kind === 'client' ? stored.client : undefined;
}

/** Shorter than an absent client is cached, so that a late reply answers the retry. */
const RETRY_AFTER_SECONDS = 1;

function lookupFailed(key: string, error: unknown): OAuthError {
  return new OAuthError('temporarily_unavailable', {
    description: 'The server cannot answer at the moment; try again.',
    reason: `failed to load ${key} from Redis: ${error instanceof Error ? error.message : error}`,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}

function remoteState({ problem }: GuardedRedis, feed: InvalidationFeed, cache: NearCache<StoredClient>): RemoteState {
  return { isUp: problem === undefined, invalidationMode: feed.mode, ...cache.size, ...cache.counts };
}
