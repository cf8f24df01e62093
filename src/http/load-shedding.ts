import type { RequestListener } from 'node:http';
import type { ReceivedRequest } from './received-request.ts';

export interface LoadShedding {
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  /** Called for each request that is shed, with how many milliseconds it had waited at most. */
  readonly onShed: (queueDelay: number) => void;
}

const body = JSON.stringify({
  error: 'temporarily_unavailable',
  error_description: 'The server is overloaded; try again.',
});
const headers = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'retry-after': '1',
  'content-length': body.length,
};

/**
 * Rejects requests that have waited too long before the server could read them, without any of their work. Documents
 * (GET) are served: that costs hardly more.
 */
export function shedOverload(
  listener: RequestListener,
  { maxQueueDelay, onShed }: LoadShedding,
): RequestListener<typeof ReceivedRequest> {
  const eventLoop = new EventLoopDelay();
  return (incoming, outgoing) => {
    const { delay, requests, turn } = eventLoop.measure();
    const isServedSoon = requests <= MIN_QUEUE_LENGTH || turn <= SERVED_PART * maxQueueDelay;
    if (delay <= maxQueueDelay || isServedSoon || incoming.method !== 'POST') {
      listener(incoming, outgoing);
      return;
    }
    onShed(delay);
    // The connection stays open: a new one costs more than this response.
    outgoing.writeHead(503, headers).end(body);
  };
}

/** A queue as short as this is served soon, however long it waited: a process that was suspended is not overloaded. */
const MIN_QUEUE_LENGTH = 100;

/**
 * The part of the maximum for which each turn of the event loop serves requests, however long they waited: after a pause
 * of a busy process, hundreds of them are waiting, and are served in milliseconds. Turns of an overload are longer.
 */
const SERVED_PART = 1 / 4;

/** A shorter turn of the event loop does not count as delay of the next one, so that measuring costs nothing at low load. */
const SHORT_TURN_MILLISECONDS = 10;

/**
 * How long what is read from a connection may have waited. One turn of the event loop reads everything that had arrived
 * before it began. What is read in this turn has therefore arrived since the previous one began.
 */
class EventLoopDelay {
  #isMeasuring = false;
  /** When the previous turn and this one began, by `performance.now()`. */
  #previousTurn = 0;
  #thisTurn = 0;
  #previousRequests = 0;
  #theseRequests = 0;

  /**
   * Counts a request.
   *
   * @returns an upper bound of its delay, how many requests were read in that time, and how long this turn has taken so
   *   far; in milliseconds
   */
  measure(): { readonly delay: number; readonly requests: number; readonly turn: number } {
    const now = performance.now();
    if (!this.#isMeasuring) {
      this.#isMeasuring = true;
      this.#previousTurn = now;
      this.#thisTurn = now;
      this.#previousRequests = 0;
      this.#theseRequests = 0;
      setImmediate(this.#endTurn);
    }
    this.#theseRequests += 1;
    return {
      delay: now - this.#previousTurn,
      requests: this.#previousRequests + this.#theseRequests,
      turn: now - this.#thisTurn,
    };
  }

  /** While turns are long, measures all of each, whatever takes the time: the loop does not wait in between. */
  #endTurn = () => {
    const now = performance.now();
    this.#isMeasuring = now - this.#thisTurn >= SHORT_TURN_MILLISECONDS;
    if (!this.#isMeasuring) return;
    this.#previousTurn = this.#thisTurn;
    this.#thisTurn = now;
    this.#previousRequests = this.#theseRequests;
    this.#theseRequests = 0;
    setImmediate(this.#endTurn);
  };
}
