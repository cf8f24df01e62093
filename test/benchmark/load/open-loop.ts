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
  /** Default: requests that wait for a connection at the end are sent once one is idle. */
  readonly discardsWaiting?: boolean;
  /** Called for each response, and with a status of 0 for a request that a closed connection or the end left without one. */
  readonly onOutcome: (response: RawResponse, latency: RequestLatency) => void;
}

/** In milliseconds. */
export interface RequestLatency {
  /** From the scheduled time to the response, as a client notices it. Includes what the load generator itself is late. */
  readonly total: number;
  /**
   * From the time when the bytes were handed to the kernel, or the connection was opened for them, to the last time before
   * the response at which the load generator looked and found nothing: what only the server can have caused.
   */
  readonly server: number;
}

/** What the load generator did, as opposed to what it should have done. */
export interface OpenLoopResult {
  /** Requests that it came to before the end. */
  readonly requestsPerSecond: number;
  /** How many milliseconds it came to each of them after the scheduled time. */
  readonly delays: readonly number[];
  /** Requests that found every connection busy until the end, and were discarded. */
  readonly unsent: number;
}

interface Scheduled {
  readonly at: number;
  readonly request: Uint8Array;
}

/** A request whose bytes, or whose connection, the kernel has. */
interface Sent extends Scheduled {
  readonly sentAt: number;
}

/** How long requests that are in flight at the end may take. */
const DRAIN_SECONDS = 10;

/** More requests than these are sent in the next turn, after the responses that have arrived were read. */
const MAX_PER_TURN = 32;

/**
 * Sends requests at random times that do not depend on the responses, a Poisson process as independent clients generate
 * it. The total latency of a request counts from its scheduled time, so that a server that stalls cannot delay the requests
 * that would measure the stall (coordinated omission). A load generator that is late itself keeps reading responses.
 */
export async function runOpenLoop(load: OpenLoop): Promise<OpenLoopResult> {
  const { requestsPerSecond, seconds, nextRequest } = load;
  const pool = new ConnectionPool(load);
  const random = seededRandom(1);
  const interval = () => (-Math.log(1 - random()) * 1000) / requestsPerSecond;
  const delays: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  try {
    let at = start + interval();
    // Timers have a resolution of a millisecond, so this process polls: it has a core of its own.
    for (let now = start; now < end; now = await pool.poll()) {
      for (let count = 0; at <= now && count < MAX_PER_TURN; count += 1) {
        delays.push(now - at);
        pool.send({ at, request: nextRequest() });
        at += interval();
      }
    }
    const unsent = load.discardsWaiting ? pool.discardWaiting() : 0;
    while (pool.inFlight > 0 && performance.now() < end + DRAIN_SECONDS * 1000) await pool.poll();
    return { requestsPerSecond: delays.length / seconds, delays, unsent };
  } finally {
    pool.close();
  }
}

class ConnectionPool {
  readonly #load: OpenLoop;
  readonly #idle: TokenConnection[] = [];
  readonly #busy = new Map<TokenConnection, Sent>();
  #waiting: Scheduled[] = [];
  /** How many of those have been sent. */
  #taken = 0;
  #polledAt = performance.now();

  constructor(load: OpenLoop) {
    this.#load = load;
  }

  get inFlight(): number {
    return this.#busy.size + this.#waiting.length - this.#taken;
  }

  /** Reads what has arrived. Returns the time afterwards. */
  async poll(): Promise<number> {
    await nextTurn();
    this.#polledAt = performance.now();
    return this.#polledAt;
  }

  send(scheduled: Scheduled): void {
    const connection = this.#idle.pop();
    if (connection || this.#busy.size < this.#load.maxConnections) this.#sendOn(connection ?? this.#open(), scheduled);
    else this.#waiting.push(scheduled);
  }

  /** Returns how many requests were waiting for a connection. */
  discardWaiting(): number {
    const count = this.#waiting.length - this.#taken;
    [this.#waiting, this.#taken] = [[], 0];
    return count;
  }

  /** Reports what has no response yet as unanswered. */
  close(): void {
    const sentAt = performance.now();
    const waiting = this.#waiting.slice(this.#taken).map((scheduled) => ({ ...scheduled, sentAt }));
    for (const sent of [...this.#busy.values(), ...waiting]) this.#report(unanswered('no response'), sent);
    for (const connection of [...this.#busy.keys(), ...this.#idle]) connection.close();
  }

  #open(): TokenConnection {
    const connection: TokenConnection = new TokenConnection(this.#load.connect(), ({ message }) => {
      const sent = this.#busy.get(connection);
      this.#busy.delete(connection);
      const idle = this.#idle.indexOf(connection);
      if (idle >= 0) this.#idle.splice(idle, 1);
      if (sent) this.#report(unanswered(message), sent);
    });
    return connection;
  }

  #sendOn(connection: TokenConnection, scheduled: Scheduled): void {
    const sent = { ...scheduled, sentAt: performance.now() };
    this.#busy.set(connection, sent);
    connection.send(scheduled.request, (response) => {
      this.#busy.delete(connection);
      this.#report(response, sent);
      const reusable = response.closes ? undefined : connection;
      if (!reusable) connection.close();
      const next = this.#nextWaiting();
      if (next) this.#sendOn(reusable ?? this.#open(), next);
      else if (reusable) this.#idle.push(reusable);
    });
  }

  #nextWaiting(): Scheduled | undefined {
    const next = this.#waiting[this.#taken];
    if (next) this.#taken += 1;
    else [this.#waiting, this.#taken] = [[], 0];
    return next;
  }

  #report(response: RawResponse, { at, sentAt }: Sent): void {
    this.#load.onOutcome(response, {
      total: performance.now() - at,
      server: Math.max(0, this.#polledAt - sentAt),
    });
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
