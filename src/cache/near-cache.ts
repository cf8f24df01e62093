import { type BoundedCache, type Bounds, createBoundedCache } from './bounded-cache.ts';

/** What the store said of a key. `bytes`: about how much memory the value takes. */
export type LoadResult<Value> =
  | {
      readonly kind: 'present';
      readonly value: Value;
      readonly bytes: number;
      /** How long it is still there, in milliseconds, where the store says so. */
      readonly lifetime?: number;
    }
  | { readonly kind: 'absent'; readonly value: Value; readonly bytes: number };

export interface NearCacheOptions<Value> {
  /** Asks the store. It throws where the store cannot be asked, which is never remembered. */
  readonly load: (key: string) => Promise<LoadResult<Value>>;
  /**
   * Whether every change since the store was asked at this time, up to a moment ago, has been told by `invalidate` or
   * `markAllStale`.
   */
  readonly isCovered: (loadedAt: number) => boolean;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Of what is present. */
  readonly bounds: Bounds;
  readonly lifetimes: Lifetimes;
  /** How long a question waits for the store, in milliseconds. */
  readonly loadTimeoutMilliseconds: number;
}

/** Milliseconds. */
export interface Lifetimes {
  /** After which a value that is asked for is read again, while the one at hand is still given out. */
  readonly refreshAfter: number;
  /** After which a value is not given out any more, whatever happens. */
  readonly maxAge: number;
  readonly negativeTtl: number;
}

interface Entry<Value> {
  readonly value: Value;
  /** When the store was asked. */
  readonly loadedAt: number;
  /** When it is not there any more, as the store said. */
  readonly expiresAt: number;
  readonly epoch: number;
}

interface Loading<Value> {
  readonly result: Promise<Value>;
  /** Something was changed since the store was asked, so that the answer may be the old one. */
  isSuperseded: boolean;
  isDone: boolean;
}

/** What has happened since the start. */
export interface CacheCounts {
  hits: number;
  misses: number;
  /** Values given out although the store could not be asked whether they still hold. */
  stale: number;
}

/** A flood of keys that are not there must not push out those that are. */
const NEGATIVE_BOUNDS: Bounds = { entries: 10_000, bytes: 4 * 1024 * 1024 };
const ENTRY_OVERHEAD_BYTES = 200;

/**
 * Values of a store, near at hand. Somebody tells it what changes in the store; where that cannot be relied on, each
 * value is confirmed before it is given out, and where the store cannot be asked it is given out up to its hard lifetime.
 */
export class NearCache<Value> {
  readonly counts: CacheCounts = { hits: 0, misses: 0, stale: 0 };
  readonly #options: NearCacheOptions<Value>;
  readonly #present: BoundedCache<Entry<Value>>;
  readonly #absent = createBoundedCache<Entry<Value>>(NEGATIVE_BOUNDS);
  readonly #loading = new Map<string, Loading<Value>>();
  #epoch = 0;
  /** Questions that are under way and for whose answer somebody has waited in vain. */
  readonly #overdue = new Set<Loading<Value>>();

  constructor(options: NearCacheOptions<Value>) {
    this.#options = options;
    this.#present = createBoundedCache(options.bounds);
  }

  /** @throws what `load` throws, or {TimeoutError}, where nothing is at hand */
  async find(key: string): Promise<Value> {
    const { refreshAfter, maxAge, negativeTtl } = this.#options.lifetimes;
    const known = this.#usableEntry(this.#present, key, maxAge);
    const entry = known ?? this.#usableEntry(this.#absent, key, negativeTtl);
    if (!entry || entry.epoch !== this.#epoch || !this.#options.isCovered(entry.loadedAt))
      return this.#revalidate(key, known);
    this.counts.hits++;
    if (this.#age(entry) > refreshAfter) this.#refreshInBackground(key);
    return entry.value;
  }

  /** The value of a key was changed: it is forgotten, and so is what is being read of it. */
  invalidate(key: string): void {
    this.#present.delete(key);
    this.#absent.delete(key);
    this.#supersede(key, this.#loading.get(key));
  }

  /** Anything may have been changed: each value is confirmed before it is given out again. */
  markAllStale(): void {
    this.#epoch++;
    for (const [key, loading] of this.#loading) this.#supersede(key, loading);
  }

  /** Whether there is a value that may be given out without the store. */
  hasUsableEntry(): boolean {
    return this.#present.some((entry) => this.#isUsable(entry, this.#options.lifetimes.maxAge));
  }

  /** What it holds of values that are present. */
  get size(): Bounds {
    return { entries: this.#present.entries, bytes: this.#present.bytes };
  }

  async #revalidate(key: string, known: Entry<Value> | undefined): Promise<Value> {
    if (known && this.#overdue.size > 0) {
      this.#refreshInBackground(key);
      return this.#serveStale(known);
    }
    this.counts.misses++;
    try {
      return await this.#loadWithTimeout(key);
    } catch (error) {
      // Not the one of before: it may have been changed while we waited.
      const remaining = this.#usableEntry(this.#present, key, this.#options.lifetimes.maxAge);
      if (remaining) return this.#serveStale(remaining);
      // It was: what the store says now is another matter than what it failed to say.
      if (known) return this.#loadWithTimeout(key);
      throw error;
    }
  }

  #serveStale({ value }: Entry<Value>): Value {
    this.counts.stale++;
    return value;
  }

  async #loadWithTimeout(key: string): Promise<Value> {
    const loading = this.#load(key);
    try {
      return await withTimeout(loading.result, this.#options.loadTimeoutMilliseconds);
    } catch (error) {
      if (error instanceof TimeoutError && !loading.isDone) this.#overdue.add(loading);
      throw error;
    }
  }

  #refreshInBackground(key: string): void {
    this.#load(key).result.catch(() => {});
  }

  /** One question at a time for a key. */
  #load(key: string): Loading<Value> {
    const running = this.#loading.get(key);
    if (running) return running;
    const loading: Loading<Value> = {
      isSuperseded: false,
      isDone: false,
      result: Promise.resolve().then(() => this.#fill(key, loading)),
    };
    this.#loading.set(key, loading);
    return loading;
  }

  async #fill(key: string, loading: Loading<Value>): Promise<Value> {
    const loadedAt = this.#options.now();
    try {
      const answer = await this.#options.load(key);
      if (!loading.isSuperseded) this.#store(key, answer, loadedAt);
      return answer.value;
    } finally {
      loading.isDone = true;
      this.#overdue.delete(loading);
      if (this.#loading.get(key) === loading) this.#loading.delete(key);
    }
  }

  #store(key: string, answer: LoadResult<Value>, loadedAt: number): void {
    const lifetime = (answer.kind === 'present' ? answer.lifetime : undefined) ?? Number.POSITIVE_INFINITY;
    const entry = { value: answer.value, loadedAt, expiresAt: loadedAt + lifetime, epoch: this.#epoch };
    const [into, outOf] = answer.kind === 'present' ? [this.#present, this.#absent] : [this.#absent, this.#present];
    outOf.delete(key);
    into.set(key, entry, key.length + ENTRY_OVERHEAD_BYTES + answer.bytes);
  }

  #supersede(key: string, loading: Loading<Value> | undefined): void {
    if (!loading) return;
    loading.isSuperseded = true;
    this.#loading.delete(key);
  }

  #usableEntry(cache: BoundedCache<Entry<Value>>, key: string, lifetime: number): Entry<Value> | undefined {
    const entry = cache.get(key);
    return entry && this.#isUsable(entry, lifetime) ? entry : undefined;
  }

  #isUsable(entry: Entry<Value>, lifetime: number): boolean {
    return this.#age(entry) <= lifetime && this.#options.now() < entry.expiresAt;
  }

  #age({ loadedAt }: Entry<Value>): number {
    return this.#options.now() - loadedAt;
  }
}

/** An answer did not come in time. It may still come. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Waits for an answer, and no longer than that. An answer that has arrived counts, also where this process was too busy
 * to look at it: what is there is read once more after the time is over.
 *
 * @param milliseconds how long
 * @throws {TimeoutError}
 */
export async function withTimeout<Value>(answer: Promise<Value>, milliseconds: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new TimeoutError(`no answer within ${milliseconds} ms`));
    // Timers come before arrived data in a turn of the event loop, and this after it.
    timer = setTimeout(() => setImmediate(giveUp), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
