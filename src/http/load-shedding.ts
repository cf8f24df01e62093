import type { ActiveRequests } from './active-requests.ts';
import type { Application } from './application.ts';
import { HeldConnections } from './held-connections.ts';
import type { ReceivedRequest } from './received-request.ts';
import { type Exchange, RequestQueue } from './request-queue.ts';
import type { RequestsInFlight } from './requests-in-flight.ts';
import type { HttpServer, Serve } from './sent-response.ts';
import { Turns } from './turns.ts';

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
  /** `count`: with this request. */
  | { readonly kind: 'requests_in_flight'; readonly count: number };

/**
 * Rejects requests while too many are in flight, and queues what a turn of the event loop read beyond a few requests. While
 * the oldest request of a long queue has waited for longer than the maximum, further ones are rejected, without any of their
 * work. Of requests that a peer sends in advance, one at a time takes part in this (RFC 9112 §9.3.2 lets a server process them
 * in parallel only if all of their methods are safe): a connection has no more of the server than any other one.
 */
export function shedOverload(
  server: HttpServer,
  { serve, isShed, overloaded }: Application,
  { maxQueueDelay, inFlight, onShed }: LoadShedding,
  active: Pick<ActiveRequests, 'accept' | 'isLast' | 'shed' | 'whenNext'>,
): Serve {
  const queue = new RequestQueue(serve);
  const held = new HeldConnections(() => turns.schedule());
  const turns: Turns = new Turns(server, (limit) => {
    const hasStarted = queue.startNext(limit);
    return held.next(Math.min(MIN_QUEUE_LENGTH - queue.length, inFlight.max - inFlight.count)) || hasStarted;
  });
  const sheddingCause = ({ delay, length }: RequestQueue, incoming: ReceivedRequest): SheddingCause | undefined => {
    const mayBeShed = isShed(incoming);
    if (mayBeShed && inFlight.isFull) return { kind: 'requests_in_flight', count: inFlight.count + 1 };
    const isLate = delay > maxQueueDelay && length >= MIN_QUEUE_LENGTH;
    return (mayBeShed && isLate) || length >= MAX_QUEUE_LENGTH
      ? { kind: 'queue_delay', milliseconds: delay, length }
      : undefined;
  };
  const reject = (cause: SheddingCause, ...[incoming, outgoing]: Exchange) => {
    onShed(cause, incoming);
    incoming.resume();
    // The connection stays open: a new one costs more than this response.
    outgoing.writeHead(overloaded.status, overloaded.headers).end(overloaded.body);
  };
  const admit: Serve = (incoming, outgoing) => {
    turns.schedule();
    const cause = sheddingCause(queue, incoming);
    // Once some wait, all take turns: otherwise those that were served would take the place of those that were rejected.
    const isLast = (cause || held.areWaiting) && active.isLast(outgoing);
    if (isLast) held.hold(incoming);
    if (!cause) {
      active.accept(outgoing);
      queue.add(incoming, outgoing);
      return;
    }
    active.shed(outgoing);
    if (isLast) reject(cause, incoming, outgoing);
    else held.wait(() => reject(cause, incoming, outgoing));
  };
  const admitNext: Serve = (...exchange) => {
    if (held.areWaiting) held.wait(() => admit(...exchange));
    else admit(...exchange);
  };
  return (incoming, outgoing) => {
    if (outgoing.socket) admit(incoming, outgoing);
    else active.whenNext(outgoing, () => admitNext(incoming, outgoing));
  };
}

/** A queue that is shorter is served soon, however long it has waited: a suspended process is not overloaded. */
const MIN_QUEUE_LENGTH = 100;

/** Bounds the memory of the queue: beyond it, documents are shed as well. */
const MAX_QUEUE_LENGTH = 4_096;
