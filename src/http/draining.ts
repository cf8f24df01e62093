import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that are still unanswered after this time are aborted. */
const DRAIN_MILLISECONDS = 10_000;

/** `incomplete`: its body was not received in full. */
export type RequestInFlight =
  | { readonly kind: 'none' }
  | { readonly kind: 'received' | 'incomplete'; readonly response: ServerResponse };

/** Tracks which connections have a request in flight, so that nothing cuts off its response or overtakes it. */
export class ActiveRequests {
  readonly #server: Server;
  readonly #responses = new Map<Socket, ServerResponse>();
  readonly #known = new WeakSet<Socket>();
  readonly #ending = new WeakSet<Socket>();
  #draining = false;

  constructor(server: Server) {
    this.#server = server;
    const responses = this.#responses;
    // One function for all responses, and `on`, since they close once: `once` would add two objects to every request.
    function forget(this: ServerResponse): void {
      const { socket, complete } = this.req;
      if (complete && responses.get(socket) === this) responses.delete(socket);
    }
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#forgetOnClose(socket);
      responses.set(socket, response);
      response.on('close', forget);
      if (this.#draining) response.shouldKeepAlive = false;
    });
  }

  /** In Node 24, a response that waits for an earlier one emits no `close` when the connection closes. */
  #forgetOnClose(socket: Socket): void {
    if (this.#known.has(socket)) return;
    this.#known.add(socket);
    socket.once('close', () => this.#responses.delete(socket));
  }

  /** The last request on this connection that still has an unfinished response or body. */
  on(socket: Socket): RequestInFlight {
    const response = this.#responses.get(socket);
    if (response && !response.req.complete) return { kind: 'incomplete', response };
    return response && !response.writableFinished ? { kind: 'received', response } : { kind: 'none' };
  }

  /** Whether a request head was ever received on this connection. */
  hasServed(socket: Socket): boolean {
    return this.#known.has(socket);
  }

  /** Records that no further request on this connection is processed (RFC 9112 §9.6). */
  end(socket: Socket): void {
    this.#ending.add(socket);
  }

  /** Whether `end` was called for this connection. */
  isEnding(socket: Socket): boolean {
    return this.#ending.has(socket);
  }

  /** Closes the server, and each connection after its response; connections that remain after 10 s are aborted. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const response of this.#responses.values()) response.shouldKeepAlive = false;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Connections that wait for their next request, or have received only a part of it, do not close by themselves.
    this.#server.closeIdleConnections();
    const deadline = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MILLISECONDS);
    await closed;
    clearTimeout(deadline);
  }
}
