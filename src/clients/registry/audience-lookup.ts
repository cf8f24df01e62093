import type { Bounds } from '../../cache/bounded-cache.ts';
import { type LoadResult, NearCache } from '../../cache/near-cache.ts';
import { areEquivalentUris } from '../../oauth/canonical-uri.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import { readSmallSets } from '../../redis/commands/small-sets.ts';
import { AclDeniedError, type CommandExecutor, type GuardedRedis } from '../../redis/guarded-redis.ts';
import { audienceKey, isResourceName, type Resource } from '../../resources/resource.ts';
import { abbreviate } from '../../text.ts';
import type { DataLossDetector } from './data-loss.ts';
import { unlessLost } from './load-record.ts';
import { lookupFailed } from './lookup-failed.ts';
import { all, type Caching, type RecordCache } from './record-cache.ts';

interface AudienceLookupOptions {
  readonly redis: Pick<GuardedRedis, 'executeOptional'>;
  /** Executes SMEMBERS. */
  readonly execute: CommandExecutor;
  /** Of the key of an audience. */
  readonly prefix: string;
  readonly resources: Pick<RecordCache<Resource>, 'find'>;
  readonly dataLoss: DataLossDetector;
  readonly caching: Caching;
}

/** The names that the index has for an audience, of those resources that have a record; or why there is no answer. */
type Names = readonly string[] | Unusable;

interface Unusable {
  readonly reason: string;
}

/** Of one audience. A set in Redis can have millions of members. */
const MAX_RESOURCES = 256;

/** Clients and tokens have the audiences that operators registered: requests cannot make them grow. */
const BOUNDS: Bounds = { entries: 10_000, bytes: 4 * 1024 * 1024 };

/** Measured: the heap size of an entry without names. */
const BYTES_PER_ENTRY = 100;

/**
 * Finds the resources of an audience by the index in Redis, cached until Redis reports a change. That an audience has none
 * is cached as long: most have none, and the tokens for them must not depend on Redis.
 */
export class AudienceLookup {
  /** By {@link audienceKey}. */
  readonly #cache: NearCache<Names>;
  readonly #options: AudienceLookupOptions;

  constructor(options: AudienceLookupOptions) {
    this.#options = options;
    this.#cache = new NearCache({ ...options.caching, bounds: BOUNDS, load: (key) => this.#load(key) });
  }

  /**
   * The resources whose tokens have this `aud`, sorted by name. None if the ACL denies the lookup.
   *
   * @returns the reason if there are too many, or if the record of one of them is invalid
   * @throws {OAuthError} temporarily_unavailable if the lookup fails
   */
  async find(audience: string): Promise<readonly Resource[] | Unusable> {
    const key = audienceKey(audience);
    const names = this.#cache.findCached(key) ?? (await this.#findUncached(key, audience));
    if ('reason' in names) return names;
    const stored = await all(names.map((name) => this.#options.resources.find(name)));
    const invalid = stored.flatMap((each) => (each.kind === 'invalid' ? [each.reason] : []));
    if (invalid.length > 0) return { reason: abbreviate(invalid.join('; ')) };
    const resources = stored.flatMap((each) => (each.kind === 'record' ? [each.record] : []));
    // The index is only a hint.
    return resources.filter((resource) => areEquivalentUris(resource.audience, audience));
  }

  /** @param redisKey of any index entry that has changed */
  invalidate(redisKey: string): void {
    const { prefix } = this.#options;
    if (redisKey.startsWith(prefix)) this.#cache.invalidate(redisKey.slice(prefix.length));
  }

  /** Anything may have changed. A new record may be one that the index named before, so this follows each of their changes. */
  markAllStale(): void {
    this.#cache.markAllStale();
  }

  async #findUncached(key: string, audience: string): Promise<Names> {
    try {
      return await this.#cache.find(key);
    } catch (error) {
      if (error instanceof OAuthError) throw error;
      throw lookupFailed(`the resources of the audience ${abbreviate(audience)}`, error);
    }
  }

  async #load(key: string): Promise<LoadResult<Names>> {
    try {
      const names = await this.#read(`${this.#options.prefix}${key}`);
      const bytes = 'reason' in names ? names.reason.length : names.reduce((sum, { length }) => sum + length, 0);
      return { kind: 'present', value: names, bytes: BYTES_PER_ENTRY + bytes };
    } catch (error) {
      // Cached briefly, because nothing reports that the ACL has changed.
      if (error instanceof AclDeniedError) return { kind: 'absent', value: [], bytes: BYTES_PER_ENTRY };
      throw error;
    }
  }

  async #read(redisKey: string): Promise<Names> {
    const { redis, execute, dataLoss } = this.#options;
    const set = await unlessLost(dataLoss, async () => {
      const [found] = await readSmallSets({ size: redis.executeOptional, members: execute }, [redisKey], MAX_RESOURCES);
      return found === undefined || found.length === 0 ? undefined : found;
    });
    if (set === 'oversized')
      return { reason: `the index entry ${redisKey} names more than ${MAX_RESOURCES} resources` };
    return this.#existing((set ?? []).filter(isResourceName).sort());
  }

  /** A missing record is cached for seconds only: a stale index entry would cause a lookup of it time and again. */
  async #existing(names: readonly string[]): Promise<readonly string[]> {
    const stored = await all(names.map((name) => this.#options.resources.find(name)));
    return names.filter((_, index) => stored[index]?.kind !== 'none');
  }
}
