import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is still not answered after this long is cut off. */
const DRAIN_MILLISECONDS = 10_000;

/** Knows which connections have a request that is not answered yet, so that an end does not tear an answer away. */
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

  /** Closes a connection after the answer to the request that has arrived whole, and says whether there is one. */
  closeAfterResponse(socket: Socket): boolean {
    const response = this.#responses.get(socket);
    if (!response?.req.complete) return false;
    response.shouldKeepAlive = false;
    return true;
  }

  /** Ends every connection after the answer that is under way, and those that are still there after 10 s. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const response of this.#responses.values()) response.shouldKeepAlive = false;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // One that waits for its next request, or has sent only a part of it, ends nothing by itself.
    this.#server.closeIdleConnections();
    const deadline = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MILLISECONDS);
    await closed;
    clearTimeout(deadline);
  }
}
