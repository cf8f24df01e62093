/** Selected by the first byte of a digest. */
const SHARDS = 256;

/**
 * The revocations that this replica knows, by the first 16 bytes of a SHA-256: 32 to 48 bytes of memory for each. An
 * open-addressed hash table without objects, in 256 shards, so that growing one of them takes microseconds.
 */
export class RevocationTable {
  readonly #shards = Array.from({ length: SHARDS }, () => new Shard());
  readonly #maxEntries: number;
  #generation = 0;
  #size = 0;
  #nextToSweep = 0;

  /** @param maxEntries beyond which nothing is added */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#size;
  }

  /** Changes with each revocation that is added or extended. */
  get generation(): number {
    return this.#generation;
  }

  /** The size of the arrays. */
  get bytes(): number {
    return this.#shards.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get isNearlyFull(): boolean {
    return this.#size > 0.9 * this.#maxEntries;
  }

  /** The latest `before` of a subject; undefined if it is not revoked. @param digest at least 16 bytes */
  find(digest: Buffer): number | undefined {
    return this.#shardOf(digest).find(digest);
  }

  /**
   * Adds a revocation, unless it has expired, or extends the one of the same digest. Times are in seconds since the epoch.
   *
   * @returns false if the table is full
   */
  add(digest: Buffer, before: number, expiresAt: number, now: number): boolean {
    if (expiresAt <= now) return true;
    const shard = this.#shardOf(digest);
    if (this.#size >= this.#maxEntries && shard.find(digest) === undefined) return false;
    const previous = shard.size;
    if (shard.add(digest, before, expiresAt, now)) this.#generation += 1;
    this.#size += shard.size - previous;
    return true;
  }

  /** Removes the expired revocations of the next shard. Call it repeatedly. @param now seconds since the epoch */
  sweep(now: number): void {
    const shard = this.#shards[this.#nextToSweep];
    this.#nextToSweep = (this.#nextToSweep + 1) % SHARDS;
    if (shard) this.#size -= shard.removeExpired(now);
  }

  #shardOf(digest: Buffer): Shard {
    // Safe: there are as many shards as values of a byte.
    return this.#shards[digest.readUInt8(0)] as Shard;
  }
}

/** Four words of the digest, `before`, and `expiresAt`, which is 0 in a free slot. */
const SLOT_WORDS = 6;
const BEFORE = 4;
const EXPIRES_AT = 5;

const MIN_CAPACITY = 4;
const MAX_LOAD = 0.75;

class Shard {
  #slots = new Uint32Array(0);
  #capacity = 0;
  size = 0;

  get bytes(): number {
    return this.#slots.byteLength;
  }

  find(digest: Buffer): number | undefined {
    if (this.size === 0) return undefined;
    const slot = this.#slotOf(digest);
    return this.#slots[slot + EXPIRES_AT] === 0 ? undefined : this.#slots[slot + BEFORE];
  }

  /** @returns whether anything has changed */
  add(digest: Buffer, before: number, expiresAt: number, now: number): boolean {
    if (this.size + 1 > MAX_LOAD * this.#capacity) this.#rebuild(now);
    const slot = this.#slotOf(digest);
    const [knownBefore, knownExpiry] = [this.#slots[slot + BEFORE] ?? 0, this.#slots[slot + EXPIRES_AT] ?? 0];
    if (knownExpiry !== 0 && knownBefore >= before && knownExpiry >= expiresAt) return false;
    if (knownExpiry === 0) this.size += 1;
    this.#write(slot, digestWords(digest), Math.max(before, knownBefore), Math.max(expiresAt, knownExpiry));
    return true;
  }

  /** @returns how many were removed */
  removeExpired(now: number): number {
    const before = this.size;
    for (let slot = EXPIRES_AT; slot < this.#slots.length; slot += SLOT_WORDS) {
      const expiresAt = this.#slots[slot] ?? 0;
      if (expiresAt === 0 || expiresAt > now) continue;
      this.#rebuild(now);
      break;
    }
    return before - this.size;
  }

  /** Copies what has not expired, into a table that is at most half full. */
  #rebuild(now: number): void {
    const old = this.#slots;
    let live = 0;
    for (let slot = EXPIRES_AT; slot < old.length; slot += SLOT_WORDS) if ((old[slot] ?? 0) > now) live += 1;
    this.#capacity = Math.max(MIN_CAPACITY, 2 * live);
    this.#slots = new Uint32Array(this.#capacity * SLOT_WORDS);
    this.size = live;
    for (let slot = 0; slot < old.length; slot += SLOT_WORDS) {
      const expiresAt = old[slot + EXPIRES_AT] ?? 0;
      if (expiresAt <= now) continue;
      const words = [old[slot] ?? 0, old[slot + 1] ?? 0, old[slot + 2] ?? 0, old[slot + 3] ?? 0] as const;
      this.#write(this.#slotOfWords(words), words, old[slot + BEFORE] ?? 0, expiresAt);
    }
  }

  #write(slot: number, words: DigestWords, before: number, expiresAt: number): void {
    const slots = this.#slots;
    // One by one, which is faster than `set` with an array.
    [slots[slot], slots[slot + 1], slots[slot + 2], slots[slot + 3]] = words;
    slots[slot + BEFORE] = before;
    slots[slot + EXPIRES_AT] = expiresAt;
  }

  #slotOf(digest: Buffer): number {
    return this.#slotOfWords(digestWords(digest));
  }

  /** The offset of the slot of a digest, or of the free slot where it would be added. */
  #slotOfWords([first, second, third, fourth]: DigestWords): number {
    const slots = this.#slots;
    // Not the first word, whose first byte selects the shard. The capacity is not a power of two.
    let index = Math.floor((second / 2 ** 32) * this.#capacity);
    for (;;) {
      const slot = index * SLOT_WORDS;
      if (slots[slot + EXPIRES_AT] === 0) return slot;
      const isSame = slots[slot] === first && slots[slot + 1] === second;
      if (isSame && slots[slot + 2] === third && slots[slot + 3] === fourth) return slot;
      index = index + 1 === this.#capacity ? 0 : index + 1;
    }
  }
}

type DigestWords = readonly [first: number, second: number, third: number, fourth: number];

function digestWords(digest: Buffer): DigestWords {
  return [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), digest.readUInt32LE(12)];
}
