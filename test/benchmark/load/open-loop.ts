import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type RawResponse, TokenConnection } from './token-connection.ts';

export interface OpenLoop {
  readonly connect: () => Socket;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly nextRequest: () => Uint8Array;
  /** A request that finds them all busy waits; the wait counts as latency. */
  readonly maxConnections: number;
  /** Called for each response, and with a status of 0 for a request that a closed connection or the end left without one. */
  readonly onOutcome: (response: RawResponse, milliseconds: number) => void;
}

interface Scheduled {
  readonly at: number;
  readonly request: Uint8Array;
}

/** How long requests that are in flight at the end may take. */
const DRAIN_SECONDS = 10;

/**
 * Sends requests at random times that do not depend on the responses, a Poisson process as independent clients generate
 * it. The latency of a request counts from its scheduled time, so that a server that stalls cannot delay the requests that
 * would measure the stall (coordinated omission).
 */
export async function runOpenLoop(load: OpenLoop): Promise<void> {
  const { requestsPerSecond, seconds, nextRequest } = load;
  const pool = new ConnectionPool(load);
  const random = seededRandom(1);
  const start = performance.now();
  const end = start + seconds * 1000;
  try {
    for (let at = start; ; ) {
      at += (-Math.log(1 - random()) * 1000) / requestsPerSecond;
      if (at >= end) break;
      // Timers have a resolution of a millisecond, so this process polls: it has a core of its own.
      while (performance.now() < at) await nextTurn();
      pool.send({ at, request: nextRequest() });
    }
    while (pool.inFlight > 0 && performance.now() < end + DRAIN_SECONDS * 1000) await nextTurn();
  } finally {
    pool.close();
  }
}

class ConnectionPool {
  readonly #load: OpenLoop;
  readonly #idle: TokenConnection[] = [];
  readonly #busy = new Map<TokenConnection, Scheduled>();
  readonly #waiting: Scheduled[] = [];

  constructor(load: OpenLoop) {
    this.#load = load;
  }

  get inFlight(): number {
    return this.#busy.size + this.#waiting.length;
  }

  send(scheduled: Scheduled): void {
    const connection = this.#idle.pop();
    if (connection || this.#busy.size < this.#load.maxConnections) this.#sendOn(connection ?? this.#open(), scheduled);
    else this.#waiting.push(scheduled);
  }

  /** Reports what has no response yet as unanswered. */
  close(): void {
    for (const scheduled of [...this.#busy.values(), ...this.#waiting])
      this.#report(unanswered('no response'), scheduled);
    for (const connection of [...this.#busy.keys(), ...this.#idle]) connection.close();
  }

  #open(): TokenConnection {
    const connection: TokenConnection = new TokenConnection(this.#load.connect(), ({ message }) => {
      const scheduled = this.#busy.get(connection);
      this.#busy.delete(connection);
      const idle = this.#idle.indexOf(connection);
      if (idle >= 0) this.#idle.splice(idle, 1);
      if (scheduled) this.#report(unanswered(message), scheduled);
    });
    return connection;
  }

  #sendOn(connection: TokenConnection, scheduled: Scheduled): void {
    this.#busy.set(connection, scheduled);
    connection.send(scheduled.request, (response) => {
      this.#busy.delete(connection);
      this.#report(response, scheduled);
      const reusable = response.closes ? undefined : connection;
      if (!reusable) connection.close();
      const next = this.#waiting.shift();
      if (next) this.#sendOn(reusable ?? this.#open(), next);
      else if (reusable) this.#idle.push(reusable);
    });
  }

  #report(response: RawResponse, { at }: Scheduled): void {
    this.#load.onOutcome(response, performance.now() - at);
  }
}

const unanswered = (text: string): RawResponse => ({ status: 0, text, closes: true });

/** The same arrivals for every contender (mulberry32). Numbers from 0 to below 1. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
