import { AdministrationError } from '../../administration/administration-error.ts';
import { InterruptedError, printProblem } from '../output/errors.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Handles SIGINT and SIGTERM while a command runs. The first signal aborts reads at once, and lets writes in flight
 * finish. The second ends the process.
 */
export class Interruption implements Disposable {
  readonly #stop = new AbortController();
  readonly #interrupted = Promise.withResolvers<never>();
  readonly #beforeMessage: () => void;
  #phase: 'reading' | 'writing' | 'written' = 'reading';

  /** @param beforeMessage clears the terminal line that the message is printed on */
  constructor(beforeMessage: () => void) {
    this.#beforeMessage = beforeMessage;
    // A signal may arrive while nothing is awaited.
    this.#interrupted.promise.catch(() => {});
    for (const signal of signals) process.on(signal, this.#interrupt);
  }

  /**
   * Waits for work that can be abandoned at any time, because it changes nothing in Redis.
   *
   * @throws {InterruptedError} on SIGINT or SIGTERM
   */
  abortable<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([this.#interrupted.promise, work]);
  }

  /**
   * Runs work that writes to Redis. A signal aborts `stop`: the work then starts nothing more, and throws an
   * AdministrationError that states how much was written.
   *
   * @throws {InterruptedError} with that statement, after SIGINT or SIGTERM
   */
  async finishWrites<Result>(write: (stop: AbortSignal) => Promise<Result>): Promise<Result> {
    this.#phase = 'writing';
    try {
      return await write(this.#stop.signal);
    } catch (error) {
      if (!this.#stop.signal.aborted || !(error instanceof AdministrationError)) throw error;
      throw new InterruptedError(this.#stop.signal.reason, error.problems.join('\n'));
    } finally {
      this.#phase = 'written';
    }
  }

  readonly #interrupt = (signal: NodeJS.Signals): void => {
    const error = new InterruptedError(signal, this.#phase === 'reading' ? 'nothing was changed' : '');
    if (this.#stop.signal.aborted) process.exit(error.exitCode);
    this.#stop.abort(signal);
    this.#beforeMessage();
    if (this.#phase === 'writing') {
      printProblem(`${signal}: finishing writes in flight; press Ctrl-C again to abort`);
    } else {
      this.#interrupted.reject(error);
    }
  };

  [Symbol.dispose](): void {
    for (const signal of signals) process.off(signal, this.#interrupt);
  }
}
