import type { RequestListener, Server } from 'node:http';
import type { Application } from './application.ts';
import type { ActiveRequests } from './draining.ts';
import type { ReceivedRequest } from './received-request.ts';
import type { RequestsInFlight } from './requests-in-flight.ts';

export interface LoadShedding {
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  /** Of all listeners together. */
  readonly inFlight: RequestsInFlight;
  /** Called for each request that is shed. */
  readonly onShed: (cause: SheddingCause, request: ReceivedRequest) => void;
}

/** Why a request is shed. */
export type SheddingCause =
  /** The oldest request in the queue has waited for too many milliseconds, or the queue is full. */
  | { readonly kind: 'queue_delay'; readonly milliseconds: number; readonly length: number }
  | { readonly kind: 'requests_in_flight'; readonly count: number };

/**
 * Rejects requests while too many are in flight, and queues what a turn of the event loop read beyond a few requests. Node
 * accepts one connection in each turn, so a long turn would keep new connections waiting where they cannot be shed. While
 * the oldest request of a long queue has waited for longer than the maximum, further ones are rejected, without any of their
 * work: a few in each turn, since peers that try again at once would otherwise leave no time for anything else.
 */
export function shedOverload(
  server: Server<typeof ReceivedRequest>,
  { serve, isShed, overloaded }: Application,
  { maxQueueDelay, inFlight, onShed }: LoadShedding,
  active: Pick<ActiveRequests, 'shed'>,
): RequestListener<typeof ReceivedRequest> {
  const queue = new RequestQueue(serve);
  server.on('connection', queue.onConnection);
  const sheddingCause = ({ delay, length }: RequestQueue, mayBeShed: boolean): SheddingCause | undefined => {
    if (mayBeShed && inFlight.isExceeded) return { kind: 'requests_in_flight', count: inFlight.count };
    const isLate = delay > maxQueueDelay && length >= MIN_QUEUE_LENGTH;
    if ((!mayBeShed || !isLate) && length < MAX_QUEUE_LENGTH) return undefined;
    return { kind: 'queue_delay', milliseconds: delay, length };
  };
  const shed = new ShedRequests((cause, incoming, outgoing) => {
    onShed(cause, incoming);
    // The connection stays open: a new one costs more than this response.
    outgoing.writeHead(overloaded.status, overloaded.headers).end(overloaded.body);
  });
  return (incoming, outgoing) => {
    const cause = sheddingCause(queue, isShed(incoming));
    if (!cause) {
      queue.add(incoming, outgoing);
      return;
    }
    active.shed(outgoing);
    shed.add(cause, incoming, outgoing);
  };
}

/** How many shed requests are answered in one turn. Each takes about half as long as one that is served. */
const SHED_PER_TURN = 4;

type ShedRequest = readonly [cause: SheddingCause, ...request: Request];

/** Requests that are rejected, in their order. Beyond as many as the queue holds, each is answered at once. */
class ShedRequests {
  readonly #reject: (...shed: ShedRequest) => void;
  #waiting: ShedRequest[] = [];
  /** How many of those were answered. */
  #answered = 0;
  #isScheduled = false;
  #answerable = SHED_PER_TURN;

  constructor(reject: (...shed: ShedRequest) => void) {
    this.#reject = reject;
  }

  add(...shed: ShedRequest): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#nextTurn);
    }
    if (this.#answerable > 0 || this.#waiting.length - this.#answered >= MAX_QUEUE_LENGTH) {
      this.#answerable -= 1;
      this.#reject(...shed);
    } else this.#waiting.push(shed);
  }

  readonly #nextTurn = () => {
    const next = this.#waiting.slice(this.#answered, this.#answered + SHED_PER_TURN);
    this.#answered += next.length;
    this.#answerable = SHED_PER_TURN - next.length;
    if (this.#answered >= MAX_QUEUE_LENGTH || this.#answered === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#answered);
      this.#answered = 0;
    }
    for (const shed of next) this.#reject(...shed);
    this.#isScheduled = next.length > 0;
    if (this.#isScheduled) setImmediate(this.#nextTurn);
  };
}

/** A queue that is shorter is served soon, however long it has waited: a suspended process is not overloaded. */
const MIN_QUEUE_LENGTH = 100;

/**
 * Bounds the memory of the queue. Node stops reading a connection only while responses wait on it: without this bound,
 * one connection could send any number of requests in advance.
 */
const MAX_QUEUE_LENGTH = 4_096;

/** How many requests are started in one turn; fewer while connections are accepted. */
const PER_TURN = 32;
const PER_TURN_WHILE_ACCEPTING = 8;

type Request = Parameters<RequestListener<typeof ReceivedRequest>>;

interface Waiting {
  readonly request: Request;
  /** When it was read, by `performance.now()`. */
  readonly since: number;
  /** The one that was read after it. */
  next: Waiting | undefined;
}

/** Requests that were read and not started, in their order. */
class RequestQueue {
  length = 0;
  readonly #start: (...request: Request) => void;
  #oldest: Waiting | undefined;
  #newest: Waiting | undefined;
  /** How many may still be started in this turn. */
  #startable = PER_TURN;
  #isAccepting = false;
  #isScheduled = false;

  constructor(start: (...request: Request) => void) {
    this.#start = start;
  }

  readonly onConnection = () => {
    this.#isAccepting = true;
  };

  /** How long the oldest request has waited, in milliseconds. */
  get delay(): number {
    return this.#oldest ? performance.now() - this.#oldest.since : 0;
  }

  /** Starts the request at once, or after those that are waiting. */
  add(...request: Request): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#nextTurn);
    }
    if (this.#startable > 0 && !this.#oldest) {
      this.#startable -= 1;
      this.#start(...request);
    } else this.#append({ request, since: performance.now(), next: undefined });
  }

  #append(waiting: Waiting): void {
    if (this.#newest) this.#newest.next = waiting;
    else this.#oldest = waiting;
    this.#newest = waiting;
    this.length += 1;
  }

  readonly #nextTurn = () => {
    const limit = this.#isAccepting ? PER_TURN_WHILE_ACCEPTING : PER_TURN;
    this.#isAccepting = false;
    this.#startable = limit;
    while (this.#startable > 0 && this.#oldest) {
      const { request } = this.#oldest;
      this.#oldest = this.#oldest.next;
      if (!this.#oldest) this.#newest = undefined;
      this.length -= 1;
      this.#startable -= 1;
      this.#start(...request);
    }
    this.#isScheduled = this.#startable < PER_TURN;
    if (this.#isScheduled) setImmediate(this.#nextTurn);
  };
}
