import { type BoundedCache, type Bounds, createBoundedCache } from './bounded-cache.ts';
import { LoadsInFlight } from './loads-in-flight.ts';

/** A reply of the store. `bytes`: the approximate memory that the value takes. */
export type LoadResult<Value> =
  | {
      readonly kind: 'present';
      readonly value: Value;
      readonly bytes: number;
      /** How long until the store expires it, in milliseconds, if it does. */
      readonly lifetime?: number;
    }
  | { readonly kind: 'absent'; readonly value: Value; readonly bytes: number };

export interface NearCacheOptions<Value, Source = void> {
  /**
   * Reads from the store. Throws when the lookup fails; failed lookups are never cached.
   *
   * @param previous the present value of the last load, however old, unless it was invalidated or evicted
   */
  readonly load: (key: string, source: Source, previous: Value | undefined) => Promise<LoadResult<Value>>;
  /**
   * Whether invalidation covers a value loaded at this time: every change since then, up to a moment ago, was reported by
   * `invalidate` or `markAllStale`.
   */
  readonly isCovered: (loadedAt: number, now: number) => boolean;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Of the values that are present. */
  readonly bounds: Bounds;
  readonly lifetimes: Lifetimes;
  /** How long a lookup waits for the store. */
  readonly loadTimeoutMilliseconds: number;
}

/** Milliseconds. */
export interface Lifetimes {
  /** A value older than this is refreshed in the background when it is looked up, and still served. */
  readonly refreshAfter: number;
  /** A value older than this is never served. */
  readonly maxAge: number;
  /** How long an absent value is cached. */
  readonly negativeTtl: number;
}

/** Counted since the start. */
interface CacheCounts {
  hits: number;
  misses: number;
  /** Values served without revalidation because the store did not reply. */
  stale: number;
}

interface Entry<Value> {
  readonly value: Value;
  /** When the load started. */
  readonly loadedAt: number;
  /** When the store expires it. */
  readonly expiresAt: number;
  readonly epoch: number;
}

/** Separate from the bounds of present values, so that a flood of absent keys evicts none of them. */
const NEGATIVE_BOUNDS: Bounds = { entries: 10_000, bytes: 4 * 1024 * 1024 };
const ENTRY_OVERHEAD_BYTES = 200;

/**
 * A read-through cache of a store that announces its changes. While invalidation cannot be relied on, each value is
 * revalidated before it is served; if the store does not reply, it is served stale up to its max age.
 *
 * A value is identified by its key. `Source` is what a load needs besides the key: equal for equal keys.
 */
export class NearCache<Value, Source = void> {
  readonly counts: CacheCounts = { hits: 0, misses: 0, stale: 0 };
  readonly #options: NearCacheOptions<Value, Source>;
  readonly #present: BoundedCache<Entry<Value>>;
  readonly #absent = createBoundedCache<Entry<Value>>(NEGATIVE_BOUNDS);
  readonly #loads = new LoadsInFlight<Value, Source>((...load) => this.#load(...load));
  #epoch = 0;

  constructor(options: NearCacheOptions<Value, Source>) {
    this.#options = options;
    this.#present = createBoundedCache(options.bounds);
  }

  /** @throws what `load` throws, or {TimeoutError}, when no cached value may be served instead */
  async find(key: string, source: Source): Promise<Value> {
    return this.findCached(key, source) ?? this.#revalidate(key, source);
  }

  /** The value of a key if it may be served without asking the store, which takes a fraction of the time of a promise. */
  findCached(key: string, source: Source): Value | undefined {
    const { refreshAfter, maxAge, negativeTtl } = this.#options.lifetimes;
    const now = this.#options.now();
    const entry = usable(this.#present.get(key), maxAge, now) ?? usable(this.#absent.get(key), negativeTtl, now);
    if (!entry || entry.epoch !== this.#epoch || !this.#options.isCovered(entry.loadedAt, now)) return undefined;
    this.counts.hits++;
    if (now - entry.loadedAt > refreshAfter) this.#refreshInBackground(key, source);
    return entry.value;
  }

  /** The value of a key has changed: removes it, and discards a load of it that is in flight. */
  invalidate(key: string): void {
    this.#present.delete(key);
    this.#absent.delete(key);
    this.#loads.supersede(key);
  }

  /** Anything may have changed: each value is revalidated before it is served again. */
  markAllStale(): void {
    this.#epoch++;
    this.#loads.supersedeAll();
  }

  /** Whether any present value may be served without the store. */
  hasUsableEntry(): boolean {
    const now = this.#options.now();
    return this.#present.some((entry) => usable(entry, this.#options.lifetimes.maxAge, now) !== undefined);
  }

  /** Of the values that are present. */
  get size(): Bounds {
    return { entries: this.#present.entries, bytes: this.#present.bytes };
  }

  async #revalidate(key: string, source: Source): Promise<Value> {
    const present = usable(this.#present.get(key), this.#options.lifetimes.maxAge, this.#options.now());
    // The store is unresponsive: further lookups do not wait for it again.
    if (present && this.#loads.areOverdue) {
      this.#refreshInBackground(key, source);
      return this.#serveStale(present);
    }
    this.counts.misses++;
    try {
      return await this.#loads.wait(key, source, this.#options.loadTimeoutMilliseconds);
    } catch (error) {
      // Looked up again, since the entry may have been invalidated during the load.
      const remaining = usable(this.#present.get(key), this.#options.lifetimes.maxAge, this.#options.now());
      if (remaining) return this.#serveStale(remaining);
      // It was: the store may reply now, whatever failed before the change.
      if (present) return this.#loads.wait(key, source, this.#options.loadTimeoutMilliseconds);
      throw error;
    }
  }

  #serveStale({ value }: Entry<Value>): Value {
    this.counts.stale++;
    return value;
  }

  #refreshInBackground(key: string, source: Source): void {
    this.#loads.start(key, source).result.catch(() => {});
  }

  async #load(key: string, source: Source, isSuperseded: () => boolean): Promise<Value> {
    const loadedAt = this.#options.now();
    const result = await this.#options.load(key, source, this.#present.get(key)?.value);
    if (!isSuperseded()) this.#store(key, result, loadedAt);
    return result.value;
  }

  #store(key: string, result: LoadResult<Value>, loadedAt: number): void {
    const lifetime = (result.kind === 'present' ? result.lifetime : undefined) ?? Number.POSITIVE_INFINITY;
    const entry = { value: result.value, loadedAt, expiresAt: loadedAt + lifetime, epoch: this.#epoch };
    const [into, outOf] = result.kind === 'present' ? [this.#present, this.#absent] : [this.#absent, this.#present];
    outOf.delete(key);
    into.set(key, entry, key.length + ENTRY_OVERHEAD_BYTES + result.bytes);
  }
}

/** The entry, unless it is too old or the store has expired it. */
function usable<Value>(entry: Entry<Value> | undefined, maxAge: number, now: number): Entry<Value> | undefined {
  return entry && now - entry.loadedAt <= maxAge && now < entry.expiresAt ? entry : undefined;
}
