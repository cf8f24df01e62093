import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that are still unanswered after this time are aborted. */
const DRAIN_MILLISECONDS = 10_000;

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

  /**
   * Closes a connection after the response to the request in flight.
   *
   * @returns whether a completely received request is in flight; otherwise nothing happens
   */
  closeAfterResponse(socket: Socket): boolean {
    const response = this.#responses.get(socket);
    if (!response?.req.complete) return false;
    response.shouldKeepAlive = false;
    return true;
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
