import type { Bounds } from '../../cache/bounded-cache.ts';
import type { Lifetimes } from '../../cache/near-cache.ts';
import { invalidClient } from '../../oauth/oauth-error.ts';
import type { RedisAccess } from '../../redis/connect.ts';
import type { GuardedRedis } from '../../redis/guarded-redis.ts';
import type { InvalidationMode } from '../../redis/invalidation/connection.ts';
import { type InvalidationFeed, openInvalidationFeed } from '../../redis/invalidation/feed.ts';
import type { Client } from '../client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { parseStoredRecord } from '../stored-record.ts';
import { createDataLossDetector, type DataLossDetector } from './data-loss.ts';
import { type EdgePermissionHandler, EdgeRecords } from './edge-records.ts';
import { type Caching, RecordCache, requireValid } from './record-cache.ts';
import { type Registry, type RegistryKeys, type RemoteState, registryKeys } from './registry.ts';
import { type ConnectionEvents, openRegistryConnection, type RegistryConnection } from './registry-connection.ts';

interface RedisRegistryOptions {
  readonly access: RedisAccess;
  /** Of all keys and channels; `countersign:` by default. */
  readonly keyPrefix: string;
  readonly cache: CacheSettings;
  readonly policy: RegistrationPolicy;
  /** Whether to find clients by certificate, and resources. Otherwise the ACL need not permit that. */
  readonly servesEdge: boolean;
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
export interface RegistryEvents extends ConnectionEvents {
  /** @param problem why Redis itself does not send invalidations; undefined if it does */
  readonly onInvalidationMode: (mode: InvalidationMode, problem: string | undefined) => void;
  /** @param isLost whether all records were lost, or restored */
  readonly onDataLoss: (isLost: boolean) => void;
  readonly onEdgePermission: EdgePermissionHandler;
}

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
  let onConnected = () => {};
  const opened = await openRegistryConnection(access, events, () => onConnected());
  const { redis } = opened;
  const dataLoss = createDataLossDetector(redis, keys.marker, events.onDataLoss);
  const caching: Caching = {
    ...options.cache,
    isCovered: (loadedAt, at) => isCovered(feed, loadedAt, at),
    now: () => performance.now(),
  };
  const clients = clientCache({ redis, keys, dataLoss, policy, now, caching });
  const edge = options.servesEdge
    ? new EdgeRecords({ redis, keys, clients, dataLoss, policy, caching, onPermission: events.onEdgePermission })
    : undefined;
  const records: CachedRecords = { keys, clients, edge, dataLoss };
  const feed = openFeed(opened, options, records);
  // The new connection may be to another server, with other data and another ACL.
  onConnected = () => {
    revalidate(records);
    startReadCheck(redis, records);
  };
  startDataLossCheck(dataLoss);
  startReadCheck(redis, records);
  return toRegistry(opened, records, feed, access.address.description);
}

interface CachedRecords {
  readonly keys: RegistryKeys;
  readonly clients: RecordCache<Client>;
  /** Undefined if there is no edge. */
  readonly edge: EdgeRecords | undefined;
  readonly dataLoss: DataLossDetector;
}

interface ClientCacheOptions extends Pick<CachedRecords, 'keys' | 'dataLoss'> {
  readonly redis: GuardedRedis;
  readonly policy: RegistrationPolicy;
  readonly now: () => number;
  readonly caching: Caching;
}

function clientCache({ redis, keys, dataLoss, policy, now, caching }: ClientCacheOptions): RecordCache<Client> {
  const source = { redis, execute: redis.execute, prefix: keys.clientPrefix, dataLoss };
  return new RecordCache<Client>(
    {
      ...source,
      kind: 'client',
      parse: (clientId, record) => {
        const parsed = parseStoredRecord(clientId, record, policy, now());
        return parsed.ok ? { ok: true, record: parsed.client } : parsed;
      },
    },
    caching,
  );
}

function openFeed(
  { connection }: RegistryConnection,
  { access, events }: RedisRegistryOptions,
  records: CachedRecords,
): InvalidationFeed {
  const { keys, clients, edge, dataLoss } = records;
  return openInvalidationFeed(connection.redis, {
    access,
    prefixes: [keys.clientPrefix, keys.marker, ...(edge ? [keys.identityPrefix, keys.resourcePrefix] : [])],
    channel: keys.changesChannel,
    onInvalidate: (changed) => {
      for (const key of changed) {
        if (key.startsWith(keys.clientPrefix)) clients.cache.invalidate(key.slice(keys.clientPrefix.length));
        edge?.invalidate(key);
      }
      if (changed.includes(keys.marker)) startDataLossCheck(dataLoss);
    },
    onFlush: () => revalidate(records),
    onMode: events.onInvalidationMode,
  });
}

function revalidate({ clients, edge, dataLoss }: CachedRecords): void {
  clients.cache.markAllStale();
  edge?.markAllStale();
  startDataLossCheck(dataLoss);
}

/** If Redis is unavailable, the next lookup of a missing record checks again. */
function startDataLossCheck(dataLoss: DataLossDetector): void {
  dataLoss.hasLostData().catch(() => {});
}

/** The ACL may permit the marker, but not the records. No record has an empty `client_id`. */
function startReadCheck({ execute }: GuardedRedis, { keys, edge }: CachedRecords): void {
  execute((redis) => redis.get(keys.clientPrefix)).catch(() => {});
  edge?.startPermissionCheck();
}

/** Whether an invalidation would have arrived if a value that was loaded at `loadedAt` had changed. */
function isCovered(feed: InvalidationFeed, loadedAt: number, now: number): boolean {
  if (feed.mode === 'pubsub' && now - loadedAt > MAX_UNTRACKED_MILLISECONDS) return false;
  return now - feed.syncedUntil <= SYNCED_WITHIN_MILLISECONDS;
}

/** @param description of the address of Redis */
function toRegistry(
  { connection, redis }: RegistryConnection,
  records: CachedRecords,
  feed: InvalidationFeed,
  description: string,
): Registry {
  const { keys, clients, edge, dataLoss } = records;
  return {
    description: `Redis at ${description}, keys ${keys.clientPrefix}*`,
    find: async (clientId) => requireValid(await clients.find(clientId), invalidClient),
    findByCertificate: async (...lookup) => requireEdge(edge).findByCertificate(...lookup),
    findResource: async (name) => requireEdge(edge).findResource(name),
    get notReadyReason() {
      const { problem } = redis;
      const isServing = clients.cache.hasUsableEntry();
      if (isServing && problem === undefined) return undefined;
      // Without requests, or while all clients are cached, nothing else would detect a failure or a recovery.
      startDataLossCheck(dataLoss);
      startReadCheck(redis, records);
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
