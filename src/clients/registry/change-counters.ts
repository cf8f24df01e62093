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
    this.#counters[counter] = this.count(counter) + 1;
  }

  /** The version of what depends on the key of a counter. */
  count(counter: number): number {
    return this.#counters[counter] ?? 0;
  }

  /**
   * The version of what depends on the keys of some counters. No two states have the same version, since counters only
   * increase.
   */
  version(counters: Uint32Array): number {
    let sum = 0;
    for (const counter of counters) sum += this.count(counter);
    return sum;
  }
}

/** The counter of a key. Keys of identities end in a digest, which spreads them evenly. */
export function counterOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  return (hash >>> 0) % COUNTERS;
}
