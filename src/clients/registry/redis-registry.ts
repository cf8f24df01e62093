import type { Bounds } from '../../cache/bounded-cache.ts';
import { type Lifetimes, NearCache } from '../../cache/near-cache.ts';
import type { RedisAccess } from '../../redis/connect.ts';
import { openRedis, type RedisConnection } from '../../redis/connection.ts';
import { GuardedRedis } from '../../redis/guarded-redis.ts';
import { dropWhenSilent } from '../../redis/heartbeat.ts';
import type { InvalidationMode } from '../../redis/invalidation/connection.ts';
import { type InvalidationFeed, openInvalidationFeed } from '../../redis/invalidation/feed.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { createDataLossDetector, type DataLossDetector } from './data-loss.ts';
import { findCachedClient, loadClient, type StoredClient } from './load-client.ts';
import { type Registry, type RegistryKeys, type RemoteState, registryKeys } from './registry.ts';

export interface RedisRegistryOptions {
  readonly access: RedisAccess;
  /** What all our keys begin with; `countersign:` unless configured otherwise. */
  readonly keyPrefix: string;
  readonly cache: CacheSettings;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly events: RegistryEvents;
}

/** How much is remembered of the store, for how long, and how long a request waits for it, in milliseconds. */
export interface CacheSettings {
  readonly bounds: Bounds;
  readonly lifetimes: Lifetimes;
  readonly loadTimeoutMilliseconds: number;
}

/** Each is told of changes only. */
export interface RegistryEvents {
  /** `undefined` is up, a text says why it is down. */
  readonly onConnection: (problem: string | undefined) => void;
  /** How changes are heard of, and why not from Redis itself. */
  readonly onInvalidationMode: (notification: InvalidationMode, problem: string | undefined) => void;
  /** All records are gone at once, or are there again. */
  readonly onDataLoss: (areLost: boolean) => void;
}

/** An answer that comes later than a request waits is still good for the next one. */
const COMMAND_MILLISECONDS = 1_000;
/** Five PINGs, one of which is under way: a change is in force within a second also where nobody tells of it. */
const SYNCED_WITHIN_MILLISECONDS = 750;
/** How long others' changes may go unseen where only our own commands tell of theirs. */
const UNTRACKED_MILLISECONDS = 5_000;

/**
 * A registry over Redis: one JSON value for each client, at `{prefix}client:{client_id}`, remembered until Redis says
 * that it has changed. It is there as soon as the first attempt to connect has succeeded or failed, and goes on trying.
 */
export async function createRedisRegistry(options: RedisRegistryOptions): Promise<Registry> {
  const { access, policy, now, events } = options;
  const keys = registryKeys(options.keyPrefix);
  // Perhaps to another server than before, on which other things have happened.
  let onUp = () => {};
  const connection = await openRedis({
    ...access,
    commandTimeoutMilliseconds: COMMAND_MILLISECONDS,
    onStatusChange: (problem) => {
      events.onConnection(problem);
      if (problem === undefined) onUp();
    },
  });
  dropWhenSilent(connection.redis);
  const questions = new GuardedRedis(connection, events.onConnection);
  const lost = createDataLossDetector(questions, keys.marker, events.onDataLoss);
  const cache = new NearCache<StoredClient>({
    load: (clientId) =>
      loadClient(clientId, { redis: questions, prefix: keys.clientPrefix, dataLoss: lost, policy, now }),
    isCovered: (loadedAt) => isCovered(feed, loadedAt, performance.now()),
    now: () => performance.now(),
    ...options.cache,
  });
  const feed = followChanges(connection, { options, keys, cache, dataLoss: lost });
  onUp = () => refreshAll(cache, lost);
  check(lost);
  return registryOver({
    connection,
    guarded: questions,
    dataLoss: lost,
    cache,
    feed,
    keys,
    description: access.address.description,
  });
}

interface Followed {
  readonly options: RedisRegistryOptions;
  readonly keys: RegistryKeys;
  readonly cache: NearCache<StoredClient>;
  readonly dataLoss: DataLossDetector;
}

function followChanges({ redis }: RedisConnection, { options, keys, cache, dataLoss }: Followed): InvalidationFeed {
  return openInvalidationFeed(redis, {
    access: options.access,
    prefixes: [keys.clientPrefix, keys.marker],
    channel: keys.changesChannel,
    onInvalidate: (changed) => {
      for (const key of changed)
        if (key.startsWith(keys.clientPrefix)) cache.invalidate(key.slice(keys.clientPrefix.length));
      if (changed.includes(keys.marker)) check(dataLoss);
    },
    onFlush: () => refreshAll(cache, dataLoss),
    onMode: options.events.onInvalidationMode,
  });
}

function refreshAll(cache: NearCache<StoredClient>, lost: DataLossDetector): void {
  cache.markAllStale();
  check(lost);
}

interface Parts {
  readonly connection: RedisConnection;
  readonly guarded: GuardedRedis;
  readonly dataLoss: DataLossDetector;
  readonly cache: NearCache<StoredClient>;
  readonly feed: InvalidationFeed;
  readonly keys: RegistryKeys;
  /** Where Redis is. */
  readonly description: string;
}

function registryOver({ connection, guarded, dataLoss, cache, feed, keys, description }: Parts): Registry {
  return {
    description: `Redis at ${description}, keys ${keys.clientPrefix}*`,
    find: (clientId) => findCachedClient(clientId, cache, keys.clientPrefix),
    get notReadyReason() {
      const { problem } = guarded;
      if (cache.hasUsableEntry()) return undefined;
      // Without requests, none would find out that something is wrong, or is well again.
      check(dataLoss);
      return problem;
    },
    get remote() {
      return remoteState(guarded, feed, cache);
    },
    close: async () => {
      feed.close();
      connection.close();
    },
  };
}

/** Whether what was read at `loadedAt` would have been told to be over, if it were. */
function isCovered(feed: InvalidationFeed, loadedAt: number, now: number): boolean {
  if (feed.mode === 'pubsub' && now - loadedAt > UNTRACKED_MILLISECONDS) return false;
  return now - feed.syncedUntil <= SYNCED_WITHIN_MILLISECONDS;
}

/** Where Redis cannot be asked now, the next one who misses a record asks. */
function check(lost: DataLossDetector): void {
  lost.hasLostData().catch(() => {});
}

function remoteState({ problem }: GuardedRedis, feed: InvalidationFeed, cache: NearCache<StoredClient>): RemoteState {
  return { isUp: problem === undefined, invalidationMode: feed.mode, ...cache.size, ...cache.counts };
}
