import type { AnnouncedKey } from '../../redis/invalidation/announced-key.ts';
import { KeyPoller } from '../../redis/invalidation/key-poller.ts';
import { OwnRevocations } from './own-revocations.ts';
import { digestOf, type Revocation } from './revocation.ts';
import { isSameEntry, type StreamEntry } from './revocation-store.ts';
import type { RevocationTable } from './revocation-table.ts';

interface FeedOptions {
  /** Reads entries of the stream, the first one included. */
  readonly readStream: (from: string, count: number) => Promise<readonly StreamEntry[]>;
  /** The stream; undefined if nothing announces its changes. */
  readonly announced: AnnouncedKey | undefined;
  readonly table: RevocationTable;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called with revocations that were written here, and that Redis has lost. */
  readonly onMissing: (missing: readonly Revocation[]) => void;
  readonly events: FeedEvents;
}

export interface FeedEvents {
  /** @param error of a read; undefined after one that has succeeded */
  readonly onRead: (error: unknown) => void;
  /** Redis no longer has revocations that are still in force. */
  readonly onLoss: () => void;
  /** @param id of an entry that is not a revocation */
  readonly onInvalidEntry: (id: string) => void;
  /** @param isFull whether the table has become too small for all revocations, or large enough again */
  readonly onCapacity: (isFull: boolean) => void;
}

const POLL_MILLISECONDS = 250;
/** Four polls: a revocation is in force within a second, even if the connection is silently cut off. */
const COVERED_MILLISECONDS = 1_000;
/** Other commands of the connection wait for one page at most. */
const PAGE_ENTRIES = 1_000;
const CLOCK_STEP_MILLISECONDS = 1_000;
const REREAD_MILLISECONDS = 60_000;

interface ExpectedEntry {
  readonly entry: StreamEntry;
  /** By `performance.now()`: a read that was sent later finds it. */
  readonly since: number;
}

/**
 * Follows the stream of revocations from the last entry that was read, and reads it whole at the start, after each further
 * connection, and whenever that entry is no longer where it was: trimmed, flushed, or lost in a failover, after which the
 * ids of new entries may be lower. Revocations stay in the table until they expire, whatever happens to the stream.
 */
export class RevocationFeed {
  readonly #options: FeedOptions;
  readonly #poller: KeyPoller;
  readonly #own = new OwnRevocations();
  /** The last entry that was read; undefined if there is none yet. */
  #cursor: StreamEntry | undefined;
  /** The last entry that was written here, or read before the whole stream is read again, until it is read. */
  #expected: ExpectedEntry | undefined;
  /** Incremented when a read of the whole stream starts. */
  #pass = 0;
  #isWhole = false;
  /** Whether the table was too small for an entry in this pass. */
  #isFull = false;
  #isComplete = true;
  #restartedAt = Number.NEGATIVE_INFINITY;
  #lastTime = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#poller = new KeyPoller({
      interval: POLL_MILLISECONDS,
      announced: options.announced,
      isUpToDate: () => this.#isWhole && !this.#expected,
      read: () => this.#read(),
      onError: options.events.onRead,
      onEnd: () => this.#checkTable(),
    });
  }

  /** Whether the table has every revocation that is older than a second. @param now by `performance.now()` */
  isCovered(now: number): boolean {
    return this.#isWhole && this.#isComplete && now - this.syncedAt <= COVERED_MILLISECONDS;
  }

  /** Whether the table had every revocation when the stream was last read to its end. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Until when the table is that of the whole stream, by `performance.now()`; -Infinity if never. */
  get syncedAt(): number {
    return this.#poller.syncedAt;
  }

  /** Reads the whole stream. What is known stays known. */
  restart(): void {
    this.#readFromStart();
    void this.#poller.poll();
  }

  stop(): void {
    this.#poller.stop();
  }

  async #read(): Promise<void> {
    while (!(await this.#readPage()));
    this.#options.events.onRead(undefined);
  }

  /** @returns whether the end of the stream was reached */
  async #readPage(): Promise<boolean> {
    const [pass, sentAt] = [this.#pass, performance.now()];
    const page = await this.#options.readStream(this.#cursor?.id ?? '-', PAGE_ENTRIES);
    if (this.#poller.isStopped) return true;
    // The page may be from an earlier server.
    if (pass !== this.#pass) return false;
    const [first] = page;
    if (this.#cursor && !isSameEntry(first, this.#cursor)) {
      this.#readFromStart();
      return false;
    }
    for (const entry of this.#cursor ? page.slice(1) : page) this.#add(entry);
    this.#cursor = page.at(-1) ?? this.#cursor;
    if (page.length === PAGE_ENTRIES) return false;
    this.#onEnd(sentAt);
    return true;
  }

  #onEnd(sentAt: number): void {
    const hasLoss = this.#checkLoss(sentAt);
    if (hasLoss || !this.#isWhole) this.#checkOwn(sentAt);
    this.#isWhole = true;
    this.#setComplete(!this.#isFull);
  }

  /** Only what is older than any revocation in force is removed from the stream on purpose. */
  #checkLoss(sentAt: number): boolean {
    if (!this.#expected || this.#expected.since >= sentAt) return false;
    const { expiresAt = 0 } = this.#expected.entry.revocation ?? {};
    this.#expected = undefined;
    if (expiresAt * 1000 <= this.#options.now()) return false;
    this.#options.events.onLoss();
    return true;
  }

  #checkOwn(sentAt: number): void {
    const missing = this.#own.takeMissing(sentAt, Math.floor(this.#options.now() / 1000));
    if (missing.length > 0) this.#options.onMissing(missing);
  }

  #readFromStart(): void {
    const now = performance.now();
    if (this.#cursor) this.#expected ??= { entry: this.#cursor, since: now };
    this.#cursor = undefined;
    this.#pass += 1;
    this.#own.startPass();
    this.#isWhole = false;
    this.#isFull = false;
    this.#restartedAt = now;
  }

  #add(entry: StreamEntry): void {
    const { id, revocation } = entry;
    if (this.#expected && isSameEntry(entry, this.#expected.entry)) this.#expected = undefined;
    this.#own.found(entry);
    if (revocation) this.#addRevocation(revocation);
    else this.#options.events.onInvalidEntry(id);
  }

  /** A revocation that Redis has lost could not be written again: it is due after the next read of the whole stream. */
  addUnwritten(revocation: Revocation): void {
    this.#own.add(undefined, revocation);
  }

  /** Adds a revocation that was written here. */
  add(id: string, revocation: Revocation): void {
    this.#own.add(id, revocation);
    this.#expected = { entry: { id, revocation }, since: performance.now() };
    this.#addRevocation(revocation);
  }

  #addRevocation(revocation: Revocation): void {
    const { table, now } = this.#options;
    const { before, expiresAt } = revocation;
    if (table.add(digestOf(revocation), before, expiresAt, Math.floor(now() / 1000))) return;
    this.#isFull = true;
    this.#setComplete(false);
  }

  #setComplete(isComplete: boolean): void {
    if (isComplete !== this.#isComplete) this.#options.events.onCapacity(!isComplete);
    this.#isComplete = isComplete;
  }

  /** Drops what has expired, and reads everything again if something may be missing that Redis has. */
  #checkTable(): void {
    const { table, now } = this.#options;
    const time = now();
    table.sweep(Math.floor(time / 1000));
    // What had expired by a clock that has since been set back is in force again.
    const isSetBack = time < this.#lastTime - CLOCK_STEP_MILLISECONDS;
    this.#lastTime = time;
    const hasRoom = !this.#isComplete && !table.isNearlyFull;
    const isDue = hasRoom && performance.now() - this.#restartedAt > REREAD_MILLISECONDS;
    if (isSetBack || isDue) this.restart();
  }
}
