import type { Bounds } from '../../cache/bounded-cache.ts';
import type { Lifetimes } from '../../cache/near-cache.ts';
import { invalidClient } from '../../oauth/oauth-error.ts';
import type { RedisAccess } from '../../redis/connect.ts';
import {
  type ConnectionEvents,
  type GuardedConnection,
  openGuardedConnection,
} from '../../redis/guarded-connection.ts';
import type { GuardedRedis } from '../../redis/guarded-redis.ts';
import { type AnnouncedKey, SYNCED_WITHIN_MILLISECONDS } from '../../redis/invalidation/announced-key.ts';
import type { InvalidationMode } from '../../redis/invalidation/connection.ts';
import { type InvalidationFeed, openInvalidationFeed } from '../../redis/invalidation/feed.ts';
import type { Suspicion } from '../../redis/suspicion.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import type { PermissionHandler } from './acl-permission.ts';
import { CachedRecords } from './cached-records.ts';
import type { EdgeRecords } from './edge-records.ts';
import { type Caching, requireValid } from './record-cache.ts';
import { type Registry, type RemoteState, registryKeys } from './registry.ts';

interface RedisRegistryOptions {
  readonly access: RedisAccess;
  /** Of all keys and channels; `countersign:` by default. */
  readonly keyPrefix: string;
  readonly cache: CacheSettings;
  readonly policy: RegistrationPolicy;
  /** Whether to find clients by certificate, and resources by name. Otherwise the ACL need not permit that. */
  readonly servesEdge: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly events: RegistryEvents;
  /** Keys of others, whose changes the invalidation feed announces as well. */
  readonly announced?: readonly AnnouncedKey[];
  /** Raised by the invalidation feed. Shared with other connections to the same Redis. */
  readonly suspicion?: Suspicion | undefined;
}

/** The size of the cache, the lifetimes of its entries, and how long a request waits for Redis. */
export interface CacheSettings {
  readonly bounds: Bounds;
  readonly lifetimes: Lifetimes;
  readonly loadTimeoutMilliseconds: number;
}

/** Each is called on changes only. */
export interface RegistryEvents extends ConnectionEvents {
  /** @param problem why Redis itself does not send invalidations; undefined if it does */
  readonly onInvalidationMode: (mode: InvalidationMode, problem: string | undefined) => void;
  /** @param isLost whether all records were lost, or restored */
  readonly onDataLoss: (isLost: boolean) => void;
  readonly onEdgePermission: PermissionHandler;
  /** Of the lookup of resources by audience. */
  readonly onAudiencePermission: PermissionHandler;
}

/** How long a change by other writers may go unnoticed if only `countersign clients` publishes changes. */
const MAX_UNTRACKED_MILLISECONDS = 5_000;

/**
 * A registry over Redis: one JSON value for each client at `{prefix}client:{client_id}`, cached until Redis reports a
 * change. It resolves after the first attempt to connect, whether or not that succeeds, and keeps trying.
 */
export async function createRedisRegistry(options: RedisRegistryOptions): Promise<Registry> {
  const { access, cache, events, announced = [] } = options;
  const keys = registryKeys(options.keyPrefix);
  let onConnected = () => {};
  const opened = await openGuardedConnection(access, events, () => onConnected(), options.suspicion);
  const caching: Caching = {
    ...cache,
    isCovered: (loadedAt, now) => isCovered(feed, loadedAt, now),
    now: () => performance.now(),
  };
  const records = new CachedRecords({ ...options, redis: opened.redis, keys, caching });
  const feed = openInvalidationFeed(opened.connection.redis, {
    access,
    suspicion: opened.suspicion,
    prefixes: [...records.prefixes, ...announced.map(({ key }) => key)],
    channel: keys.changesChannel,
    onInvalidate: (changed) => {
      records.invalidate(changed);
      for (const each of announced) if (changed.includes(each.key)) each.changed();
    },
    onFlush: () => {
      records.revalidate();
      for (const each of announced) each.changed();
    },
    onMode: events.onInvalidationMode,
  });
  for (const each of announced) each.follow(feed);
  // The new connection may be to another server, with other data and another ACL.
  onConnected = () => {
    records.revalidate();
    records.startReadCheck();
  };
  records.startDataLossCheck();
  records.startReadCheck();
  return toRegistry(opened, records, feed, `Redis at ${access.address.description}, keys ${keys.clientPrefix}*`);
}

/** Whether an invalidation would have arrived if a value that was loaded at `loadedAt` had changed. */
function isCovered(feed: InvalidationFeed, loadedAt: number, now: number): boolean {
  if (feed.mode === 'pubsub' && now - loadedAt > MAX_UNTRACKED_MILLISECONDS) return false;
  return now - feed.syncedUntil <= SYNCED_WITHIN_MILLISECONDS;
}

const invalidRecord = (reason: string) => invalidClient('client_record_invalid', reason);

function toRegistry(
  { connection, redis }: GuardedConnection,
  records: CachedRecords,
  feed: InvalidationFeed,
  description: string,
): Registry {
  const { clients, resources, edge } = records;
  return {
    description,
    find: async (clientId) => requireValid(await clients.find(clientId), invalidRecord),
    findByCertificate: async (...lookup) => requireEdge(edge).findByCertificate(...lookup),
    findResource: (name) => resources.find(name),
    findResourcesByAudience: (audience) => resources.findByAudience(audience),
    get notReadyReason() {
      const { problem } = redis;
      const isServing = clients.cache.hasUsableEntry();
      if (isServing && problem === undefined) return undefined;
      // Without requests, or while all clients are cached, nothing else would detect a failure or a recovery.
      records.startDataLossCheck();
      records.startReadCheck();
      return isServing ? undefined : problem;
    },
    get remote() {
      return remoteState(redis, feed, records);
    },
    close: async () => {
      feed.close();
      connection.close();
    },
  };
}

function requireEdge(edge: EdgeRecords | undefined): EdgeRecords {
  if (edge) return edge;
  throw new Error('the registry was opened without what the edge reads');
}

function remoteState({ problem }: GuardedRedis, feed: InvalidationFeed, { clients, edge }: CachedRecords): RemoteState {
  const ofClients = { ...clients.cache.size, ...clients.cache.counts };
  return {
    isUp: problem === undefined,
    invalidationMode: feed.mode,
    ...ofClients,
    certificates: edge?.certificateCache,
  };
}
