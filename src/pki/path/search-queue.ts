import { CpuShare, startCpuTimer } from './cpu-share.ts';

/** The share of CPU time that searches in the queue take, apart from those that turn out to be ordinary. */
const SHARE = 0.1;
/** How much of it may be used in advance, in milliseconds. */
const BURST = 1;
/** A search is interrupted after this many milliseconds, and the signature that it verifies then. */
const SLICE = 0.5;
const MAX_SEARCHES = 100;

/** A search that can be interrupted: after each `yield`. */
export type Search<Result> = Generator<void, Result, void>;

interface QueuedSearch<Result> {
  readonly search: Search<Result>;
  readonly promise: Promise<Result>;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  /** The CPU time that it has used, in milliseconds. */
  used: number;
}

/**
 * Runs searches in slices, between which requests are served, and within a share of CPU time. The one that has run for the
 * shortest time comes next, so an ordinary search does not wait for those that were made to be long. If there are too many,
 * the one that has run for longest is dropped.
 */
export class SearchQueue<Result> {
  readonly #share = new CpuShare(SHARE, BURST);
  readonly #searches = new Map<string, QueuedSearch<Result>>();
  readonly #isOrdinary: (result: Result) => boolean;
  #isScheduled = false;

  /** @param isOrdinary whether a search does not count, as any client causes it */
  constructor(isOrdinary: (result: Result) => boolean) {
    this.#isOrdinary = isOrdinary;
  }

  /**
   * @param key a search that is in the queue under the same key is not started again
   * @returns a promise that stays pending if the search is dropped
   */
  run(key: string, start: () => Search<Result>): Promise<Result> {
    const known = this.#searches.get(key);
    if (known) return known.promise;
    if (this.#searches.size >= MAX_SEARCHES) this.#dropLongest();
    const queued = { search: start(), used: 0, ...Promise.withResolvers<Result>() };
    this.#searches.set(key, queued);
    this.#schedule();
    return queued.promise;
  }

  #dropLongest(): void {
    const [longest] = [...this.#searches].toSorted(([, one], [, other]) => other.used - one.used);
    if (longest) this.#searches.delete(longest[0]);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#searches.size === 0) return;
    this.#isScheduled = true;
    const { untilFree } = this.#share;
    if (untilFree > 0) setTimeout(this.#runNext, Math.ceil(untilFree));
    else setImmediate(this.#runNext);
  }

  readonly #runNext = () => {
    this.#isScheduled = false;
    const [next] = [...this.#searches].toSorted(([, one], [, other]) => one.used - other.used);
    if (next) this.#runSlice(...next);
    this.#schedule();
  };

  #runSlice(key: string, queued: QueuedSearch<Result>): void {
    const used = startCpuTimer();
    const usedBefore = queued.used;
    try {
      let step: IteratorResult<void, Result>;
      do {
        step = queued.search.next();
        queued.used = usedBefore + used();
      } while (!step.done && queued.used - usedBefore < SLICE);
      this.#share.use(queued.used - usedBefore);
      if (!step.done) return;
      this.#searches.delete(key);
      if (this.#isOrdinary(step.value)) this.#share.use(-queued.used);
      queued.resolve(step.value);
    } catch (error) {
      this.#searches.delete(key);
      queued.reject(error);
    }
  }
}
