import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { BodyDisplaced } from './malformed-reasons.ts';
import { ReceivedRequest } from './received-request.ts';
import { RequestsInFlight } from './requests-in-flight.ts';
import type { SentResponse } from './sent-response.ts';

/** Requests that are still unanswered after this time are aborted. */
const DRAIN_MILLISECONDS = 10_000;

/** `incomplete`: its body was not received in full. */
export type RequestInFlight =
  | { readonly kind: 'none' }
  | { readonly kind: 'received' | 'incomplete'; readonly response: ServerResponse };

/** An open connection on which a request head was received. */
interface Connection {
  readonly socket: Socket;
  /** To the last request whose response or body is unfinished. */
  response: SentResponse | undefined;
  /** The place of its last request in the order of the listener, while that has not been received in full; otherwise 0. */
  receiving: number;
  /** How many of its requests are in flight: more than one if they are pipelined. */
  requests: number;
  /** Called when its last request was received in full. */
  readonly onReceived: () => void;
  /** Called when the application has ended a response, whether or not the peer reads it. */
  readonly onEnded: (response: SentResponse) => void;
}

/** Tracks which connections have a request in flight, so that nothing cuts off its response or overtakes it. */
export class ActiveRequests {
  readonly #server: Server;
  readonly #inFlight: RequestsInFlight;
  /**
   * Changes with connections, not with requests: what a connection holds of a request, or a Map that grows and shrinks,
   * keeps its memory alive until the next major garbage collection.
   */
  readonly #connections = new Map<Socket, Connection>();
  readonly #ending = new WeakSet<Socket>();
  #position = 0;
  /** How many requests have not been received in full. */
  #receiving = 0;
  #draining = false;
  #closing = false;

  /** @param inFlight counts the requests of this server as well */
  constructor(server: Server, inFlight = new RequestsInFlight()) {
    this.#server = server;
    this.#inFlight = inFlight;
    server.prependListener('request', (request: IncomingMessage, response: SentResponse) => {
      const connection = this.#connections.get(request.socket) ?? this.#open(request.socket);
      connection.response = response;
      this.#receive(connection);
      if (request instanceof ReceivedRequest) request.onReceived = connection.onReceived;
      response.onEnded = connection.onEnded;
      response.on('close', () => this.#finish(response, connection));
      if (this.#draining) response.shouldKeepAlive = false;
    });
  }

  #open(socket: Socket): Connection {
    const connection: Connection = {
      socket,
      response: undefined,
      receiving: 0,
      requests: 0,
      onReceived: () => {
        if (!this.#endReceiving(connection)) return;
        const { response } = connection;
        if (!response?.isWaiting) this.#count(connection, 1);
        // Later in this turn: at the end of a request, Node reads from its connection again.
        else queueMicrotask(() => response.isWaiting && socket.pause());
      },
      onEnded: (response) => this.#end(response, connection),
    };
    this.#connections.set(socket, connection);
    // Node closes a connection after a response during which the peer has closed its side, unless `Connection` was removed from
    // that response.
    socket.once('end', () => {
      if (connection.response) connection.response.shouldKeepAlive = false;
    });
    // In Node 24, a response that waits for an earlier one emits no `close` when the connection closes.
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#endReceiving(connection);
      this.#count(connection, -connection.requests);
    });
    return connection;
  }

  #receive(connection: Connection): void {
    this.#position += 1;
    connection.receiving = this.#position;
    this.#receiving += 1;
    if (this.#receiving > this.#inFlight.max) this.#endSlowest();
  }

  /** @returns whether its last request was being received, and counted as such */
  #endReceiving(connection: Connection): boolean {
    if (connection.receiving === 0) return false;
    connection.receiving = 0;
    this.#receiving -= 1;
    return true;
  }

  #count(connection: Connection, requests: number): void {
    connection.requests += requests;
    this.#inFlight.count += requests;
  }

  /** A response that only waits for its peer to read is not in flight: the peer could keep the limit exceeded. */
  #end(response: SentResponse, connection: Connection): void {
    const isReceiving = connection.response === response && this.#endReceiving(connection);
    if (!isReceiving && connection.requests > 0 && !response.isShed) this.#count(connection, -1);
  }

  #finish(response: SentResponse, connection: Connection): void {
    response.onEnded?.(response);
    if (connection.response !== response || !response.req.complete) return;
    connection.response = undefined;
    // If it waited for an earlier one, its header may be older than the end of keep-alive.
    if (this.#closing) connection.socket.destroySoon();
  }

  /** Ends the request whose body has been arriving for longest, with the same response as after the time limit. */
  #endSlowest(): void {
    let slowest: Connection | undefined;
    for (const connection of this.#connections.values()) {
      if (connection.receiving === 0) continue;
      if (!slowest || connection.receiving < slowest.receiving) slowest = connection;
    }
    if (!slowest?.response) return;
    this.#endReceiving(slowest);
    slowest.response.isShed = true;
    this.#server.emit('clientError', new BodyDisplaced(), slowest.socket);
  }

  /**
   * Calls `start` when the responses to all earlier requests on the connection have been sent. Until it is accepted or shed,
   * the request is not in flight, and nothing is read behind it: a client that sends many in advance would otherwise fill the
   * memory.
   */
  whenNext(response: SentResponse, start: () => void): void {
    response.isWaiting = true;
    response.once('socket', start);
  }

  /** Counts a request that has waited for earlier ones, if it was received in full. */
  accept(response: SentResponse): void {
    if (!response.isWaiting) return;
    this.#endWaiting(response);
    const connection = this.#connections.get(response.req.socket);
    if (connection && response.req.complete) this.#count(connection, 1);
  }

  /** Never counts a request that is shed as in flight, although its response may have to wait. */
  shed(response: SentResponse): void {
    const connection = this.#connections.get(response.req.socket);
    if (!connection) return;
    response.isShed = true;
    if (response.isWaiting) this.#endWaiting(response);
    if (connection.response === response) this.#endReceiving(connection);
  }

  /** Reads behind the request. Not before: its body may arrive, and end the reading, until it no longer waits. */
  #endWaiting(response: SentResponse): void {
    response.isWaiting = false;
    if (this.isLast(response)) response.req.socket.resume();
  }

  /** Whether this is the response to the last request that was received on its connection. */
  isLast(response: SentResponse): boolean {
    return this.#connections.get(response.req.socket)?.response === response;
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

  /** While requests are shed, one may have arrived where nothing is read: its connection would be reset as an idle one. */
  async #readHeld(): Promise<void> {
    for (const socket of this.#connections.keys()) if (this.on(socket).kind === 'none') socket.resume();
    // The first one only ends the present turn of the event loop. It reads before the second one.
    for (let turn = 0; turn < 2; turn += 1) await setImmediate();
  }

  /** Closes the server, and each connection after its response; connections that remain after 10 s are aborted. */
  async drain(): Promise<void> {
    this.endKeepAlive();
    this.#closing = true;
    await this.#readHeld();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Connections that wait for their next request, or have received only a part of it, do not close by themselves.
    this.#server.closeIdleConnections();
    const deadline = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MILLISECONDS);
    await closed;
    clearTimeout(deadline);
  }
}
