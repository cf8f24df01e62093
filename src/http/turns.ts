import type { Server } from 'node:net';

/** How many requests are started in one turn; fewer while connections are accepted. */
export const PER_TURN = 32;
const PER_TURN_WHILE_ACCEPTING = 8;
/** How many turns in a row may accept a connection and do nothing else. */
const ONLY_ACCEPTING = 8;
/** It grows by one each time that connections are left, up to this number: some 2,000 have arrived by then. */
const MAX_ONLY_ACCEPTING = 64;

/**
 * The turns of the event loop in which a listener works. Node accepts one connection in each, so a long turn would keep new
 * connections waiting where they cannot be shed: while they arrive, most turns are short, and the more of them the longer they
 * keep arriving.
 */
export class Turns {
  readonly #work: (limit: number) => boolean;
  #isScheduled = false;
  #isAccepting = false;
  #onlyAccepted = 0;
  #onlyAccepting = ONLY_ACCEPTING;

  /**
   * @param work called in a turn after `schedule`, with the number of requests that it may start; returns whether it has to
   *   be called in another one
   */
  constructor(server: Server, work: (limit: number) => boolean) {
    this.#work = work;
    server.on('connection', () => {
      this.#isAccepting = true;
    });
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = () => {
    const isAccepting = this.#isAccepting;
    this.#isAccepting = false;
    if (isAccepting && this.#onlyAccepted < this.#onlyAccepting) {
      this.#onlyAccepted += 1;
      setImmediate(this.#next);
      return;
    }
    this.#onlyAccepted = 0;
    this.#isScheduled = this.#work(isAccepting ? PER_TURN_WHILE_ACCEPTING : PER_TURN);
    const areLeft = isAccepting && this.#isScheduled;
    this.#onlyAccepting = areLeft ? Math.min(this.#onlyAccepting + 1, MAX_ONLY_ACCEPTING) : ONLY_ACCEPTING;
    if (this.#isScheduled) setImmediate(this.#next);
  };
}
