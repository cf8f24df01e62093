import type { BuiltPaths } from './build-paths.ts';
import type { TrustStore } from './trust-store.ts';

const LIFETIME_MILLISECONDS = 3_000;
const MAX_ENTRIES = 1_000;

interface Failure {
  readonly built: BuiltPaths;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The certificates for which a long search has found no path, for a few seconds, whatever else is sent with them: otherwise
 * each further arrangement of the same certificates would be searched.
 */
export class RecentFailures {
  /** By thumbprint of the leaf, the oldest first. All are of one trust store. */
  readonly #failures = new Map<string, Failure>();
  #trust: TrustStore | undefined;

  /** @param now milliseconds since the epoch */
  find(thumbprint: string, trust: TrustStore, now: number): BuiltPaths | undefined {
    const failure = this.#trust === trust ? this.#failures.get(thumbprint) : undefined;
    if (!failure) return undefined;
    const age = now - failure.at;
    return age >= 0 && age < LIFETIME_MILLISECONDS ? failure.built : undefined;
  }

  /** @param now milliseconds since the epoch */
  add(thumbprint: string, trust: TrustStore, built: BuiltPaths, now: number): void {
    if (this.#trust !== trust) this.#failures.clear();
    this.#trust = trust;
    this.#failures.delete(thumbprint);
    this.#failures.set(thumbprint, { built, at: now });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_ENTRIES && oldest !== undefined) this.#failures.delete(oldest);
  }
}
