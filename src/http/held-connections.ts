import type { ReceivedRequest } from './received-request.ts';

/**
 * What waits for longer than this, in milliseconds, has its turn whether or not there is room, so that each request has its
 * response within a second:
 */
const LONG = 500;
/** at least so many in a turn of the event loop, */
const LEAST_AFTER_LONG = 64;
/**
 * or this share of all that wait, if that is more. Where nothing is read, it is not noticed that the peer has closed the
 * connection: if it opens new ones instead, as many have to be read again as are held.
 */
const SHARE_AFTER_LONG = 1 / 8;

/** After how many milliseconds to look again for room, if there was none and nothing else happens. */
const LOOK_AGAIN = 10;

/** How many of those that have had their turn are removed from the list at once. */
const COMPACTED_AT = 1_024;

interface Waiting {
  readonly since: number;
  /** Reads from the connection again, or continues with a request that was sent in advance. */
  readonly end: () => void;
}

/**
 * The connections that take turns because of overload: nothing is read from one behind its last request until it is its turn
 * again. What it sends meanwhile waits in the kernel, where it costs nothing, instead of being rejected.
 */
export class HeldConnections {
  readonly #schedule: () => void;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  /** How many of those have had their turn. */
  #done = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param schedule called when `next` has to be called in a later turn of the event loop
   * @param now in milliseconds
   */
  constructor(schedule: () => void, now = () => performance.now()) {
    this.#schedule = schedule;
    this.#now = now;
  }

  get areWaiting(): boolean {
    return this.#waiting.length > this.#done;
  }

  /** Reads nothing behind this request until it is the turn of its connection. */
  hold(request: ReceivedRequest): void {
    request.once('end', () => {
      // At the end of a request, Node reads from its connection again: in this turn of the event loop, but not in a microtask. In
      // a later turn it would be too late: one turn reads several times if more than a thousand connections have data.
      queueMicrotask(() => {
        if (request.socket.destroyed) return;
        request.socket.pause();
        this.wait(() => request.socket.resume());
      });
    });
  }

  /** Calls `end` when it is its turn. */
  wait(end: () => void): void {
    this.#waiting.push({ since: this.#now(), end });
    this.#schedule();
  }

  /**
   * Gives those their turn that have waited for longest.
   *
   * @param room for how many requests there is room, so that they are not rejected
   * @returns whether it has to be called in the next turn
   */
  next(room: number): boolean {
    if (!this.areWaiting) return false;
    const due = this.#due(room);
    this.#done += due.length;
    if (this.#done === this.#waiting.length || this.#done >= COMPACTED_AT) {
      this.#waiting = this.#waiting.slice(this.#done);
      this.#done = 0;
    }
    for (const { end } of due) end();
    if (due.length === 0 && this.areWaiting) this.#lookAgain();
    return due.length > 0 && this.areWaiting;
  }

  #lookAgain(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#schedule();
    }, LOOK_AGAIN).unref();
  }

  #due(room: number): readonly Waiting[] {
    const share = Math.ceil(SHARE_AFTER_LONG * (this.#waiting.length - this.#done));
    const most = Math.max(room, LEAST_AFTER_LONG, share);
    const before = this.#now() - LONG;
    const first = this.#waiting.slice(this.#done, this.#done + most);
    return first.filter(({ since }, index) => index < room || since < before);
  }
}
