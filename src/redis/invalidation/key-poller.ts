import { callEvery } from '../../shared-timer.ts';
import type { AnnouncedKey } from './announced-key.ts';

export interface KeyPollerOptions {
  /** Milliseconds from the end of a poll to the next one, unless it rests. */
  readonly interval: number;
  /** Undefined if nothing announces changes of the key. */
  readonly announced: AnnouncedKey | undefined;
  /** Whether the last read has found all that there is. Otherwise the next poll reads, although no change was announced. */
  readonly isUpToDate: () => boolean;
  /** Reads the key. Changes from the beginning of the poll on may be missing in what it finds. */
  readonly read: () => Promise<void>;
  /** Called with what `read` has thrown. Must not throw. */
  readonly onError: (error: unknown) => void;
  /** Called at the end of each poll, whether or not it has read. Must not throw. */
  readonly onEnd: () => void;
}

/** To notice that changes are no longer announced. The same for all pollers, so that an idle process wakes up once. */
const RESTING_INTERVAL_MILLISECONDS = 1_000;

/**
 * Polls a key in Redis: one poll at a time, from the first call of `poll` until `stop`.
 *
 * - *Rest:* a poll does not read while it is announced that the key has not changed. The next one follows as soon as a
 *   change is announced, and after a second. Changes therefore never cause more reads than the interval does.
 * - *Silence:* a key whose announcements are no longer proven counts as changed.
 * - *Error:* it is reported, and the next poll reads after the interval, for as long as it takes.
 * - *Lost connection:* an error, since commands fail at once. After a reconnection, the owner calls `poll`.
 * - *Stop:* a poll in progress ends without a report.
 */
export class KeyPoller {
  readonly #options: KeyPollerOptions;
  /** When the last poll that has read began, by `performance.now()`. */
  #readAt = Number.NEGATIVE_INFINITY;
  #syncedAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the last poll had nothing to read. There is no timer then. */
  #isResting = false;
  #isStopped = false;
  readonly #endRests: () => void;

  constructor(options: KeyPollerOptions) {
    const endRest = () => {
      if (this.#isResting) this.#begin();
    };
    this.#options = options;
    options.announced?.onChange(endRest);
    this.#endRests = callEvery(RESTING_INTERVAL_MILLISECONDS, endRest);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Until when what was read is what Redis has, by `performance.now()`; -Infinity if it was never read. */
  get syncedAt(): number {
    this.#isUnchanged();
    return this.#syncedAt;
  }

  /**
   * Polls now, or as soon as the poll in progress has ended. Resolves when this poll has ended, also if it has failed; after
   * `stop`, without a poll.
   *
   * @param prepare called right before the poll, while none is in progress: what it changes holds for the whole poll
   */
  async poll(prepare?: () => void): Promise<void> {
    // Another caller may have waited for the same poll.
    while (this.#reading) await this.#reading;
    if (this.#isStopped) return;
    prepare?.();
    await this.#begin();
  }

  stop(): void {
    this.#isStopped = true;
    this.#isResting = false;
    clearTimeout(this.#timer);
    this.#endRests();
  }

  #begin(): Promise<void> | undefined {
    clearTimeout(this.#timer);
    this.#isResting = this.#isUnchanged();
    if (this.#isResting) {
      this.#options.onEnd();
      return undefined;
    }
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Whether it is announced that there is nothing to read. Then what was read is what Redis has until the last proof of it. */
  #isUnchanged(): boolean {
    const { announced, isUpToDate } = this.#options;
    const until = announced?.unchangedUntil(this.#readAt);
    if (until === undefined || !isUpToDate()) return false;
    this.#syncedAt = Math.max(this.#syncedAt, until);
    return true;
  }

  async #read(): Promise<void> {
    const { interval, read, onError, onEnd } = this.#options;
    const beganAt = performance.now();
    try {
      await read();
      this.#readAt = beganAt;
      this.#syncedAt = beganAt;
    } catch (error) {
      if (!this.#isStopped) onError(error);
    }
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#begin(), interval).unref();
    onEnd();
  }
}
