import type { TokenStore } from '../token-store.ts';
import type { Revocation } from './revocation.ts';
import { addToStream, type RevocationKeys, trimStream, writeKeyOnce } from './revocation-store.ts';

interface WriterOptions {
  readonly store: TokenStore;
  readonly keys: RevocationKeys;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** @param id of the entry in the stream */
  readonly onWritten: (id: string, revocation: Revocation) => void;
}

const TRIM_INTERVAL_MILLISECONDS = 60_000;

/** Writes revocations to Redis: first the key, which lookups find, then the entry of the stream, which replicas follow. */
export class RevocationWriter {
  readonly #options: WriterOptions;
  #trimmedAt = Number.NEGATIVE_INFINITY;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * @param isKnown asked if its key exists: whether this replica knows the revocation. A client that repeats a request cannot
   *   make the stream grow
   * @throws what the commands throw; it may be written in part then
   */
  async write(revocation: Revocation, isKnown: () => boolean): Promise<void> {
    const { store, keys, now, onWritten } = this.#options;
    const { execute } = store.redis;
    const isNew = await writeKeyOnce(execute, keys, revocation, now());
    if (!isNew && isKnown()) return;
    const id = await addToStream(execute, keys, revocation);
    onWritten(id, revocation);
    this.#trimOccasionally(id);
  }

  /**
   * Writes revocations that Redis has lost.
   *
   * @returns those that could not be written
   */
  async writeAgain(lost: readonly Revocation[]): Promise<readonly Revocation[]> {
    const unwritten: Revocation[] = [];
    for (const revocation of lost) {
      // Redis is unreachable again, or refuses to write: the connection, or the next revocation, reports that.
      await this.write(revocation, () => false).catch(() => unwritten.push(revocation));
    }
    return unwritten;
  }

  /** Older entries than necessary are harmless. @param latest id of an entry that was added now */
  #trimOccasionally(latest: string): void {
    const now = performance.now();
    if (now - this.#trimmedAt < TRIM_INTERVAL_MILLISECONDS) return;
    this.#trimmedAt = now;
    const { store, keys, now: time } = this.#options;
    trimStream(store.redis.executeOptional, keys, latest, time()).catch(() => {});
  }
}
