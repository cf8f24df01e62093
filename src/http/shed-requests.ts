import type { Socket } from 'node:net';
import type { Exchange } from './request-queue.ts';
import { PER_TURN } from './turns.ts';

/** How many are answered in a turn of the event loop, however many are started. */
const MIN_PER_TURN = 4;
/** In how many turns those that are waiting are answered: it takes about half a second. */
const TURNS = 80;
/** Those beyond this number are answered in a few turns, although fewer requests are served then. */
const MANY = 2_000;
const FEW_TURNS = 16;
/** How many are answered at most for each request that the turn may start, which takes several times as long. */
const MAX_PER_STARTED = 16;
/** While connections are accepted, which wait for the end of the turn. */
const MAX_PER_STARTED_WHILE_ACCEPTING = 4;
/** As many as connections are open by default: each of them has one, unless its requests are pipelined. */
const MAX_WAITING = 10_000;

/**
 * Requests that are rejected, in their order. In each turn, so many are answered that none waits for long, and so few that
 * the others are served: peers that try again at once would otherwise take all the time.
 */
export class ShedRequests<Cause> {
  readonly #reject: (cause: Cause, ...exchange: Exchange) => void;
  #waiting: { readonly cause: Cause; readonly exchange: Exchange }[] = [];
  /** How many of those were answered. */
  #answered = 0;
  /** How many more may be answered in this turn. */
  #answerable = MIN_PER_TURN;
  /** The last one of each connection. */
  readonly #last = new Map<Socket, { readonly cause: Cause; readonly exchange: Exchange }>();

  constructor(reject: (cause: Cause, ...exchange: Exchange) => void) {
    this.#reject = reject;
  }

  /** Why the request before this one on its connection is rejected, whose response has to be sent first. */
  causeBefore({ socket }: Exchange[0]): Cause | undefined {
    return this.#last.size === 0 ? undefined : this.#last.get(socket)?.cause;
  }

  /** Answers the request at once, or after those that are waiting. */
  add(cause: Cause, ...exchange: Exchange): void {
    if (this.#answerable > 0 || this.#length >= MAX_WAITING) {
      this.#answerable -= 1;
      this.#reject(cause, ...exchange);
      return;
    }
    const shed = { cause, exchange };
    this.#waiting.push(shed);
    this.#last.set(exchange[0].socket, shed);
  }

  get #length(): number {
    return this.#waiting.length - this.#answered;
  }

  /**
   * Answers the requests that have waited for longest.
   *
   * @param startable how many requests may be started until the next call
   * @returns whether any was answered
   */
  answerNext(startable: number): boolean {
    const due = Math.ceil(this.#length / TURNS + Math.max(0, this.#length - MANY) / FEW_TURNS);
    const perStarted = startable < PER_TURN ? MAX_PER_STARTED_WHILE_ACCEPTING : MAX_PER_STARTED;
    const most = Math.max(MIN_PER_TURN, Math.min(due, perStarted * startable));
    const next = this.#waiting.slice(this.#answered, this.#answered + most);
    this.#answered += next.length;
    this.#answerable = Math.max(0, MIN_PER_TURN - next.length);
    if (this.#answered >= MAX_WAITING || this.#length === 0) {
      this.#waiting = this.#waiting.slice(this.#answered);
      this.#answered = 0;
    }
    for (const shed of next) {
      const { cause, exchange } = shed;
      const { socket } = exchange[0];
      if (this.#last.get(socket) === shed) this.#last.delete(socket);
      this.#reject(cause, ...exchange);
    }
    return next.length > 0 || this.#answerable < MIN_PER_TURN;
  }
}
