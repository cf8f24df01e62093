import type { Bounds } from '../../cache/bounded-cache.ts';
import { type Lifetimes, NearCache } from '../../cache/near-cache.ts';
import type { RedisAccess } from '../../redis/connect.ts';
import { openRedis, type RedisConnection } from '../../redis/connection.ts';
import { RedisQuestions } from '../../redis/guarded-redis.ts';
import { keepAlive } from '../../redis/heartbeat.ts';
import type { Notification } from '../../redis/invalidation/connection.ts';
import { type ChangeFeed, openChangeFeed } from '../../redis/invalidation/feed.ts';
import type { RegistrationPolicy } from '../diagnostics.ts';
import { type LostRecords, watchLostRecords } from './data-loss.ts';
import { findRemembered, loadClient, type StoredClient } from './load-client.ts';
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
  readonly waitMilliseconds: number;
}

/** Each is told of changes only. */
export interface RegistryEvents {
  /** `undefined` is up, a text says why it is down. */
  readonly onConnection: (problem: string | undefined) => void;
  /** How changes are heard of, and why not from Redis itself. */
  readonly onNotification: (notification: Notification, problem: string | undefined) => void;
  /** All records are gone at once, or are there again. */
  readonly onLost: (areLost: boolean) => void;
}

/** An answer that comes later than a request waits is still good for the next one. */
const COMMAND_MILLISECONDS = 1_000;
/** Five PINGs, one of which is under way: a change is in force within a second also where nobody tells of it. */
const TOLD_WITHIN_MILLISECONDS = 750;
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
    commandMilliseconds: COMMAND_MILLISECONDS,
    onConnection: (problem) => {
      events.onConnection(problem);
      if (problem === undefined) onUp();
    },
  });
  keepAlive(connection.redis);
  const questions = new RedisQuestions(connection, events.onConnection);
  const lost = watchLostRecords(questions, keys.marker, events.onLost);
  const cache = new NearCache<StoredClient>({
    load: (clientId) => loadClient(clientId, { questions, prefix: keys.clients, lost, policy, now }),
    isTold: (askedAt) => isTold(feed, askedAt, performance.now()),
    now: () => performance.now(),
    ...options.cache,
  });
  const feed = followChanges(connection, { options, keys, cache, lost });
  onUp = () => confirmAll(cache, lost);
  lookFor(lost);
  return registryOver({ connection, questions, lost, cache, feed, keys, description: access.address.description });
}

interface Followed {
  readonly options: RedisRegistryOptions;
  readonly keys: RegistryKeys;
  readonly cache: NearCache<StoredClient>;
  readonly lost: LostRecords;
}

function followChanges({ redis }: RedisConnection, { options, keys, cache, lost }: Followed): ChangeFeed {
  return openChangeFeed(redis, {
    access: options.access,
    prefixes: [keys.clients, keys.marker],
    channel: keys.changes,
    onChanged: (changed) => {
      for (const key of changed) if (key.startsWith(keys.clients)) cache.invalidate(key.slice(keys.clients.length));
      if (changed.includes(keys.marker)) lookFor(lost);
    },
    onAnyChanged: () => confirmAll(cache, lost),
    onNotification: options.events.onNotification,
  });
}

function confirmAll(cache: NearCache<StoredClient>, lost: LostRecords): void {
  cache.distrustAll();
  lookFor(lost);
}

interface Parts {
  readonly connection: RedisConnection;
  readonly questions: RedisQuestions;
  readonly lost: LostRecords;
  readonly cache: NearCache<StoredClient>;
  readonly feed: ChangeFeed;
  readonly keys: RegistryKeys;
  /** Where Redis is. */
  readonly description: string;
}

function registryOver({ connection, questions, lost, cache, feed, keys, description }: Parts): Registry {
  return {
    description: `Redis at ${description}, keys ${keys.clients}*`,
    find: (clientId) => findRemembered(clientId, cache, keys.clients),
    get unready() {
      const { problem } = questions;
      if (cache.hasAny()) return undefined;
      // Without requests, none would find out that something is wrong, or is well again.
      lookFor(lost);
      return problem;
    },
    get remote() {
      return remoteState(questions, feed, cache);
    },
    close: async () => {
      feed.close();
      connection.close();
    },
  };
}

/** Whether what was read at `askedAt` would have been told to be over, if it were. */
function isTold(feed: ChangeFeed, askedAt: number, now: number): boolean {
  if (feed.notification === 'notices' && now - askedAt > UNTRACKED_MILLISECONDS) return false;
  return now - feed.toldUntil <= TOLD_WITHIN_MILLISECONDS;
}

/** Where Redis cannot be asked now, the next one who misses a record asks. */
function lookFor(lost: LostRecords): void {
  lost.areLost().catch(() => {});
}

function remoteState({ problem }: RedisQuestions, feed: ChangeFeed, cache: NearCache<StoredClient>): RemoteState {
  return { isUp: problem === undefined, notification: feed.notification, ...cache.size, ...cache.counts };
}
