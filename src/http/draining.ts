import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RequestsInFlight } from './requests-in-flight.ts';

/** Requests that are still unanswered after this time are aborted. */
const DRAIN_MILLISECONDS = 10_000;

/** `incomplete`: its body was not received in full. */
export type RequestInFlight =
  | { readonly kind: 'none' }
  | { readonly kind: 'received' | 'incomplete'; readonly response: ServerResponse };

/** An open connection on which a request head was received. */
interface Connection {
  /** To the last request whose response or body is unfinished. */
  response: ServerResponse | undefined;
  /** How many of its requests count as in flight: more than one if they are pipelined. */
  requests: number;
}

/** Tracks which connections have a request in flight, so that nothing cuts off its response or overtakes it. */
export class ActiveRequests {
  readonly #server: Server;
  readonly #inFlight: RequestsInFlight;
  /**
   * Changes with connections, not with requests: a Map that grows and shrinks copies itself, and the copies in the old
   * generation keep what they held alive until the next major garbage collection.
   */
  readonly #connections = new Map<Socket, Connection>();
  readonly #ending = new WeakSet<Socket>();
  readonly #shed = new WeakSet<ServerResponse>();
  #draining = false;

  /** @param inFlight counts the requests of this server as well */
  constructor(server: Server, inFlight = new RequestsInFlight()) {
    this.#server = server;
    this.#inFlight = inFlight;
    server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      const connection = this.#connections.get(socket) ?? this.#open(socket);
      connection.response = response;
      this.#count(connection, 1);
      response.on('close', () => {
        // Unless the connection closed first, or the request no longer counts.
        if (connection.requests > 0 && !this.#shed.has(response)) this.#count(connection, -1);
        if (connection.response === response && response.req.complete) connection.response = undefined;
      });
      if (this.#draining) response.shouldKeepAlive = false;
    });
  }

  #open(socket: Socket): Connection {
    const connection: Connection = { response: undefined, requests: 0 };
    this.#connections.set(socket, connection);
    // In Node 24, a response that waits for an earlier one emits no `close` when the connection closes.
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#count(connection, -connection.requests);
    });
    return connection;
  }

  #count(connection: Connection, requests: number): void {
    connection.requests += requests;
    this.#inFlight.count += requests;
  }

  /**
   * Stops counting a request that is shed. Its response may have to wait for earlier ones: if it counted, a client that
   * sends many requests in advance would keep the limit exceeded, and everything would be shed.
   */
  shed(response: ServerResponse): void {
    const connection = this.#connections.get(response.req.socket);
    if (!connection || connection.requests === 0) return;
    this.#shed.add(response);
    this.#count(connection, -1);
  }

  /** The last request on this connection that still has an unfinished response or body. */
  on(socket: Socket): RequestInFlight {
    const response = this.#connections.get(socket)?.response;
    if (response && !response.req.complete) return { kind: 'incomplete', response };
    return response && !response.writableFinished ? { kind: 'received', response } : { kind: 'none' };
  }

  /** Whether a request head was ever received on this connection. */
  hasServed(socket: Socket): boolean {
    return this.#connections.has(socket);
  }

  /** Records that no further request on this connection is processed (RFC 9112 §9.6). */
  end(socket: Socket): void {
    this.#ending.add(socket);
  }

  /** Whether `end` was called for this connection. */
  isEnding(socket: Socket): boolean {
    return this.#ending.has(socket);
  }

  /** From now on, each connection closes after its next response. Connections are still accepted. */
  endKeepAlive(): void {
    this.#draining = true;
    for (const { response } of this.#connections.values()) if (response) response.shouldKeepAlive = false;
  }

  /** Closes the server, and each connection after its response; connections that remain after 10 s are aborted. */
  async drain(): Promise<void> {
    this.endKeepAlive();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Connections that wait for their next request, or have received only a part of it, do not close by themselves.
    this.#server.closeIdleConnections();
    const deadline = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MILLISECONDS);
    await closed;
    clearTimeout(deadline);
  }
}
