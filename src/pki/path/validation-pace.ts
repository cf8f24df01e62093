/** The share of CPU time that failing validations may take. */
const SHARE = 0.1;
/** How much of it they may take in advance, in milliseconds: clients that are misconfigured are not an attack. */
const BURST = 20;
/** So that a process that was suspended during a validation does not make others wait for seconds. */
const MAX_COUNTED_MILLISECONDS = 50;
/** Each waits for those before it, so this bounds how long the last one waits: to five seconds at worst. */
const MAX_WAITING = 20;

/**
 * Limits the share of CPU time that failing path validations take to a tenth. Anyone can cause them, with certificates of
 * their own making, while those of known clients succeed and are cached. Within that share, a validation runs at once.
 */
export class ValidationPace {
  /** What the failed validations took in excess of their share, in milliseconds, at the time of `performance.now()`. */
  #excess = { milliseconds: 0, at: 0 };
  #lastDuration = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Whether a validation may run at once. */
  get isFree(): boolean {
    return this.#waiting.length === 0 && this.#untilFree() === 0;
  }

  /** Runs a validation. If it fails, it counts. */
  run<Result>(validate: () => Result, failed: (result: Result) => boolean): Result {
    const start = performance.now();
    const result = validate();
    if (failed(result)) {
      const now = performance.now();
      this.#lastDuration = Math.min(now - start, MAX_COUNTED_MILLISECONDS);
      this.#excess = { milliseconds: this.#excessAt(now) + this.#lastDuration, at: now };
    }
    return result;
  }

  #excessAt(now: number): number {
    const { milliseconds, at } = this.#excess;
    return Math.max(0, milliseconds - SHARE * (now - at));
  }

  /** Milliseconds. */
  #untilFree(): number {
    return Math.max(0, this.#excessAt(performance.now()) - BURST) / SHARE;
  }

  /** Calls `work` when its turn comes; undefined at once if too many are waiting. */
  inTurn<Result>(work: () => Result): Promise<Result> | undefined {
    if (this.#waiting.length >= MAX_WAITING) return undefined;
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
      this.#schedule();
    });
  }

  /** Resolves about when a validation that begins to wait now would be done, if no other one was waiting. */
  pause(): Promise<void> {
    const milliseconds = this.#untilFree() + this.#lastDuration;
    return new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    });
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#waiting.shift()?.();
      this.#schedule();
    }, Math.ceil(this.#untilFree()));
  }
}
