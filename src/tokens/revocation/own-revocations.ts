import type { Revocation } from './revocation.ts';
import { isSameEntry, type StreamEntry } from './revocation-store.ts';

interface OwnRevocation {
  readonly revocation: Revocation;
  /** By `performance.now()`. */
  readonly writtenAt: number;
  /** The last read of the whole stream that found it. */
  foundIn: number;
}

const MAX_ENTRIES = 10_000;

/**
 * The latest revocations that this replica has written. If Redis loses one that other replicas have not read yet, none of
 * them knows it.
 */
export class OwnRevocations {
  /** By the id of the entry, or by a symbol if it could not be written again. The oldest first. */
  readonly #written = new Map<string | symbol, OwnRevocation>();
  #pass = 0;

  /** @param id of its entry; undefined if Redis has lost that */
  add(id: string | undefined, revocation: Revocation): void {
    this.#written.set(id ?? Symbol(), { revocation, writtenAt: performance.now(), foundIn: -1 });
    const [oldest] = this.#written.size > MAX_ENTRIES ? this.#written.keys() : [];
    if (oldest !== undefined) this.#written.delete(oldest);
  }

  /** A read of the whole stream starts. */
  startPass(): void {
    this.#pass += 1;
  }

  /** The stream has this entry. */
  found(entry: StreamEntry): void {
    const own = this.#written.get(entry.id);
    if (own && isSameEntry({ id: entry.id, revocation: own.revocation }, entry)) own.foundIn = this.#pass;
  }

  /**
   * Removes those that a read of the whole stream has not found although they are still in force.
   *
   * @param readAt when its last page was requested, by `performance.now()`
   * @param now seconds since the epoch
   */
  takeMissing(readAt: number, now: number): readonly Revocation[] {
    const missing = [...this.#written].filter(
      ([, { foundIn, writtenAt }]) => foundIn < this.#pass && writtenAt < readAt,
    );
    for (const [id] of missing) this.#written.delete(id);
    return missing.map(([, { revocation }]) => revocation).filter(({ expiresAt }) => expiresAt > now);
  }
}
