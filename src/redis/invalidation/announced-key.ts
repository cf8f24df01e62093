import type { InvalidationFeed } from './feed.ts';
import type { ServerIdentity } from './server-identity.ts';

/**
 * How long after the last proof of the feed a value still counts as unchanged. A change that was not announced is in force
 * within a second then, and a Redis that takes 600 ms to reply to each probe does not delay requests (`heartbeat.ts`).
 */
export const SYNCED_WITHIN_MILLISECONDS = 750;
/** A value is read again after this long, even if no change was announced. */
const READ_AGAIN_MILLISECONDS = 10_000;

type Feed = Pick<InvalidationFeed, 'mode' | 'syncedUntil' | 'covers'>;

/**
 * A key that a reader polls on another connection, and whose changes the invalidation feed of the registry announces. While
 * it does, a poll need not read.
 */
export class AnnouncedKey {
  readonly key: string;
  #feed: Feed | undefined;
  #reader: ServerIdentity | undefined;
  #changedAt = Number.POSITIVE_INFINITY;
  #onChange = () => {};

  constructor(key: string) {
    this.key = key;
  }

  /** @param reader the server that it is read from; undefined for a Cluster */
  readFrom(reader: ServerIdentity | undefined): void {
    this.#reader = reader;
  }

  /** @param listener called when it has changed, or may have */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /** Its changes are announced from now on. */
  follow(feed: Feed): void {
    this.#feed = feed;
    this.changed();
  }

  /** It has changed, or may have. */
  changed(): void {
    this.#changedAt = performance.now();
    this.#onChange();
  }

  /**
   * Until when a value is known to be the present one.
   *
   * @param readAt when its read was sent, by `performance.now()`, as the result is
   * @returns undefined if it has to be read again
   */
  unchangedUntil(readAt: number): number | undefined {
    const now = performance.now();
    if (this.#feed?.mode !== 'tracking' || !this.#feed.covers(this.#reader)) return undefined;
    if (this.#changedAt >= readAt) return undefined;
    const { syncedUntil } = this.#feed;
    const isCurrent = now - syncedUntil <= SYNCED_WITHIN_MILLISECONDS && now - readAt < READ_AGAIN_MILLISECONDS;
    return isCurrent ? syncedUntil : undefined;
  }
}
