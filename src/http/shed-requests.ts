import type { Exchange } from './request-queue.ts';
import { PER_TURN } from './turns.ts';

/**
 * How many requests a turn of the event loop may start for each one that it rejects, which takes about half as long: so most
 * of the time is left for those that are served.
 */
const STARTED_PER_REJECTED = 2;
/** Beyond that, it rejects more if others have waited for longer than this, in milliseconds: so many times as many, */
const LONG = 500;
const MORE_AFTER_LONG = 4;
/**
 * or this share of all that wait, if that is more. Where nothing is read, it is not noticed that the peer has closed the
 * connection: if it opens new ones instead, as many have to be read again as are held.
 */
const SHARE_AFTER_LONG = 1 / 8;

/** How many of those that have waited are removed from the list at once. */
const COMPACTED_AT = 1_024;

interface Waiting {
  /** By `performance.now()`. */
  readonly since: number;
  /** Rejects the request, or reads from the connection again. */
  readonly end: () => void;
}

/**
 * Rejects requests at once, but only a few for each one that is started: peers that try again at once would otherwise take
 * all the time. Beyond that, nothing is read from the connection until it is its turn again. What it sends meanwhile waits in
 * the kernel, where it costs nothing.
 */
export class ShedRequests<Cause> {
  readonly #reject: (cause: Cause, ...exchange: Exchange) => void;
  /** Of the connections from which nothing is to be read next. */
  #toHold: Exchange[0][] = [];
  #holdIsScheduled = false;
  #waiting: Waiting[] = [];
  /** How many of those have had their turn. */
  #done = 0;
  /** How many more may be rejected in this turn of the event loop. */
  #rejectable = PER_TURN / STARTED_PER_REJECTED;

  constructor(reject: (cause: Cause, ...exchange: Exchange) => void) {
    this.#reject = reject;
  }

  /** @param isLast whether nothing was received behind the request on its connection */
  add(cause: Cause, exchange: Exchange, isLast: boolean): void {
    if (this.#rejectable > 0) {
      this.#rejectable -= 1;
      this.#reject(cause, ...exchange);
    } else if (isLast) {
      this.#reject(cause, ...exchange);
      this.#holdSoon(exchange[0]);
    } else this.#wait(() => this.#reject(cause, ...exchange));
  }

  #wait(end: () => void): void {
    this.#waiting.push({ since: performance.now(), end });
  }

  #holdSoon(request: Exchange[0]): void {
    this.#toHold.push(request);
    if (!this.#holdIsScheduled) setImmediate(this.#hold);
    this.#holdIsScheduled = true;
  }

  /** Node reads from a connection again at the end of a request, so that has to be received first. */
  readonly #hold = () => {
    this.#holdIsScheduled = false;
    const rejected = this.#toHold;
    this.#toHold = [];
    for (const request of rejected) {
      const { socket, complete } = request;
      if (socket.destroyed) continue;
      if (!complete) request.once('end', () => this.#holdSoon(request));
      else {
        socket.pause();
        this.#wait(() => socket.resume());
      }
    }
  };

  /**
   * Gives those their turn that have waited for longest.
   *
   * @param startable how many requests may be started until the next call
   * @param room for how many more there is room in the queue, so that they will not be rejected
   * @returns whether others are waiting
   */
  next(startable: number, room: number): boolean {
    const most = Math.ceil(startable / STARTED_PER_REJECTED);
    const due = this.#due(most, room);
    this.#done += due.length;
    this.#rejectable = Math.max(0, most - due.length);
    if (this.#done === this.#waiting.length || this.#done >= COMPACTED_AT) {
      this.#waiting = this.#waiting.slice(this.#done);
      this.#done = 0;
    }
    for (const { end } of due) end();
    return this.#waiting.length > this.#done;
  }

  #due(most: number, room: number): readonly Waiting[] {
    const share = Math.ceil(SHARE_AFTER_LONG * (this.#waiting.length - this.#done));
    const first = this.#waiting.slice(this.#done, this.#done + Math.max(MORE_AFTER_LONG * most, share, room));
    const before = performance.now() - LONG;
    return first.filter(({ since }, index) => index < Math.max(most, room) || since < before);
  }
}
