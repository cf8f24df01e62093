import type { InvalidationFeed } from './feed.ts';

/** How long after the last proof of the feed a value still counts as unchanged: two intervals of its heartbeat, and a reply. */
const SYNCED_WITHIN_MILLISECONDS = 750;
/** A value is read again after this long, even if no change was announced. */
const READ_AGAIN_MILLISECONDS = 4_000;

/**
 * A key that a reader polls on another connection, and whose changes the invalidation feed of the registry announces. While
 * it does, a poll need not read.
 */
export class AnnouncedKey {
  readonly key: string;
  #feed: Pick<InvalidationFeed, 'mode' | 'syncedUntil'> | undefined;
  #changedAt = Number.POSITIVE_INFINITY;

  constructor(key: string) {
    this.key = key;
  }

  /** Its changes are announced from now on. */
  follow(feed: Pick<InvalidationFeed, 'mode' | 'syncedUntil'>): void {
    this.#feed = feed;
    this.changed();
  }

  /** It has changed, or may have. */
  changed(): void {
    this.#changedAt = performance.now();
  }

  /**
   * Until when a value is known to be the present one.
   *
   * @param readAt when its read was sent, by `performance.now()`, as the result is
   * @returns undefined if it has to be read again
   */
  unchangedUntil(readAt: number): number | undefined {
    const now = performance.now();
    if (this.#feed?.mode !== 'tracking' || this.#changedAt >= readAt) return undefined;
    const { syncedUntil } = this.#feed;
    const isCurrent = now - syncedUntil <= SYNCED_WITHIN_MILLISECONDS && now - readAt < READ_AGAIN_MILLISECONDS;
    return isCurrent ? syncedUntil : undefined;
  }
}
