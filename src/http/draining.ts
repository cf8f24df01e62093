import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that are still unanswered after this time are aborted. */
const DRAIN_MILLISECONDS = 10_000;

/** `answered`: the response was sent before the body was received in full. */
export type RequestInFlight =
  | { readonly kind: 'none' | 'answered' }
  | { readonly kind: 'received'; readonly response: ServerResponse }
  | { readonly kind: 'incomplete'; readonly request: IncomingMessage };

/** Tracks which connections have a request in flight, so that a shutdown does not cut off its response. */
export class ActiveRequests {
  readonly #server: Server;
  readonly #responses = new Map<Socket, ServerResponse>();
  #draining = false;

  constructor(server: Server) {
    this.#server = server;
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#responses.set(socket, response);
      response.once('close', () => {
        const pipelined = this.#responses.get(socket) !== response;
        if (!pipelined) this.#responses.delete(socket);
      });
      if (this.#draining) response.shouldKeepAlive = false;
    });
  }

  /** The last request on this connection that still has an unfinished response or body. */
  on(socket: Socket): RequestInFlight {
    const response = this.#responses.get(socket);
    if (!response) return { kind: 'none' };
    if (response.req.complete) return { kind: 'received', response };
    return response.writableEnded ? { kind: 'answered' } : { kind: 'incomplete', request: response.req };
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
