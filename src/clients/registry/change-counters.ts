/** 1 MiB. An apply of a million records increments each counter four times. */
const COUNTERS = 2 ** 18;

/**
 * Counts the changes of Redis keys, so that what was derived from several of them can be recognized as outdated. Keys share
 * counters: a change may make unrelated values outdated, but the memory is fixed, whatever changes and whatever is cached.
 */
export class ChangeCounters {
  readonly #counters = new Uint32Array(COUNTERS);

  /** Counts a change of this key. */
  increment(key: string): void {
    const counter = counterOf(key);
    this.#counters[counter] = (this.#counters[counter] ?? 0) + 1;
  }

  /**
   * The version of what depends on some keys: no two states have the same version, since counters only increase.
   *
   * @param counters of the keys, from {@link counterOf}
   */
  version(counters: Iterable<number>): number {
    let sum = 0;
    for (const counter of counters) sum += this.#counters[counter] ?? 0;
    return sum;
  }
}

/** The counter of a key. Keys of identities end in a digest, which spreads them evenly. */
export function counterOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  return (hash >>> 0) % COUNTERS;
}
