import type { BuiltPaths } from './build-paths.ts';
import type { TrustStore } from './trust-store.ts';

const LIFETIME_MILLISECONDS = 3_000;
const MAX_ENTRIES = 1_000;

interface RecentSearch {
  readonly built: BuiltPaths;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The results of the last searches by leaf, for a few seconds, whatever else was sent with it: otherwise each further
 * arrangement of the same certificates would be searched as if it were new.
 */
export class RecentSearches {
  /** By thumbprint of the leaf, the oldest first. All are of one trust store. */
  readonly #searches = new Map<string, RecentSearch>();
  #trust: TrustStore | undefined;

  /** @param now milliseconds since the epoch */
  find(thumbprint: string, trust: TrustStore, now: number): BuiltPaths | undefined {
    // V8 stores each string that is looked up in a Map for as long as it is used, also in an empty one.
    const search = this.#trust === trust && this.#searches.size > 0 ? this.#searches.get(thumbprint) : undefined;
    if (!search) return undefined;
    const age = now - search.at;
    return age >= 0 && age < LIFETIME_MILLISECONDS ? search.built : undefined;
  }

  /** @param now milliseconds since the epoch */
  add(thumbprint: string, trust: TrustStore, built: BuiltPaths, now: number): void {
    if (this.#trust !== trust) this.#searches.clear();
    this.#trust = trust;
    this.#searches.delete(thumbprint);
    this.#searches.set(thumbprint, { built, at: now });
    const [oldest] = this.#searches.keys();
    if (this.#searches.size > MAX_ENTRIES && oldest !== undefined) this.#searches.delete(oldest);
  }
}
