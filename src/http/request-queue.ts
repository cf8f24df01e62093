import type { Serve } from './sent-response.ts';
import { PER_TURN } from './turns.ts';

/** A request and its response. */
export type Exchange = Parameters<Serve>;

interface Waiting {
  readonly exchange: Exchange;
  /** When it was read, by `performance.now()`. */
  readonly since: number;
  /** The one that was read after it. */
  next: Waiting | undefined;
}

/** Requests that were read and not started, in their order. */
export class RequestQueue {
  length = 0;
  readonly #start: (...exchange: Exchange) => void;
  #oldest: Waiting | undefined;
  #newest: Waiting | undefined;
  /** How many may still be started in this turn. */
  #startable = PER_TURN;

  constructor(start: (...exchange: Exchange) => void) {
    this.#start = start;
  }

  /** How long the oldest request has waited, in milliseconds. */
  get delay(): number {
    return this.#oldest ? performance.now() - this.#oldest.since : 0;
  }

  /** Starts the request at once, or after those that are waiting. */
  add(...exchange: Exchange): void {
    if (this.#startable > 0 && !this.#oldest) {
      this.#startable -= 1;
      this.#start(...exchange);
    } else this.#append({ exchange, since: performance.now(), next: undefined });
  }

  #append(waiting: Waiting): void {
    if (this.#newest) this.#newest.next = waiting;
    else this.#oldest = waiting;
    this.#newest = waiting;
    this.length += 1;
  }

  /**
   * Starts the requests that have waited for longest.
   *
   * @param limit how many may be started until the next call
   * @returns whether any was started
   */
  startNext(limit: number): boolean {
    this.#startable = limit;
    while (this.#startable > 0 && this.#oldest) {
      const { exchange } = this.#oldest;
      this.#oldest = this.#oldest.next;
      if (!this.#oldest) this.#newest = undefined;
      this.length -= 1;
      this.#startable -= 1;
      this.#start(...exchange);
    }
    return this.#startable < limit;
  }
}
