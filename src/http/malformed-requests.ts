import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ActiveRequests } from './draining.ts';
import {
  type ClientError,
  explainBodyError,
  explainError,
  type MalformedRequest,
  responseFor,
} from './malformed-reasons.ts';
import { IncompleteBody, type ReceivedRequest } from './received-request.ts';
import { parseRequestHead } from './request-head.ts';

export type OnMalformed = (request: MalformedRequest) => void;

/**
 * Rejects a request whose head the adapter cannot turn into a URL. Without this, the adapter would send an empty 400
 * and nothing would be logged.
 */
export function rejectMalformed(
  listener: RequestListener,
  active: ActiveRequests,
  onMalformed: OnMalformed,
): RequestListener<typeof ReceivedRequest> {
  return (incoming, outgoing) => {
    const { socket } = incoming;
    if (active.isEnding(socket)) return;
    const head = parseRequestHead(incoming);
    if (head.kind === 'malformed') {
      active.end(socket);
      onMalformed({ code: head.code, reason: head.reason });
      respond(head.code, outgoing);
      return;
    }
    if (head.framing === 'unreliable') {
      active.end(socket);
      outgoing.shouldKeepAlive = false;
    }
    incoming.url = head.target;
    // Nothing depends on the host, since the issuer is configured, and the adapter's host grammar is not that of the RFC.
    incoming.headers.host = 'countersign.invalid';
    listener(incoming, outgoing);
  };
}

/**
 * Responds to everything that never becomes a request: parser and TLS errors, timeouts and `CONNECT`. Without this, Node
 * would send an empty response and nothing would be logged.
 */
export function handleClientErrors(
  server: Server<typeof ReceivedRequest>,
  active: ActiveRequests,
  onMalformed: OnMalformed,
): void {
  server.on('clientError', (error: ClientError, socket: Socket) => onClientError(error, socket, active, onMalformed));
  // Rejected with the rest of the request head: Node would send an empty response.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (_, socket: Socket) => {
    // Node has detached its own listeners from this socket, including the one for errors.
    socket.on('error', () => socket.destroy());
    if (active.isEnding(socket)) return;
    active.end(socket);
    onMalformed({ code: 'INVALID_METHOD', reason: 'CONNECT requests a tunnel' });
    const inFlight = active.on(socket);
    if (inFlight.kind === 'none') respondOnSocket('INVALID_METHOD', socket);
    else inFlight.response.once('close', () => respondOnSocket('INVALID_METHOD', socket));
  });
}

function onClientError(error: ClientError, socket: Socket, active: ActiveRequests, onMalformed: OnMalformed): void {
  const inFlight = active.on(socket);
  const malformed = inFlight.kind === 'incomplete' ? explainBodyError(error) : explainError(error);
  const isLost = !socket.writable || error.code === 'ECONNRESET' || malformed.code.startsWith('ERR_SSL_');
  if (active.isEnding(socket)) {
    // Node's parser reports an error again for whatever follows.
    if (isLost || malformed.code === 'ERR_HTTP_REQUEST_TIMEOUT') socket.destroy();
    return;
  }
  active.end(socket);
  const isHarmless = endsWithoutRequest(error, socket, active);
  // The application reports what it rejects, including a body that it cannot read to its end.
  if (inFlight.kind !== 'incomplete' && !isHarmless) onMalformed(malformed);
  if (isLost) {
    // No response can be delivered, and a connection that waits for one would never close.
    if (inFlight.kind === 'incomplete') inFlight.response.req.destroy(new IncompleteBody(malformed));
    socket.destroy();
  } else if (inFlight.kind === 'none' && isHarmless) socket.destroy();
  else if (inFlight.kind === 'none') respondOnSocket(malformed.code, socket);
  else if (inFlight.kind === 'received') closeAfter(inFlight.response, socket);
  else rejectBody(inFlight.response, socket, malformed);
}

/**
 * Whether the connection ends while no request is being received: a load balancer checks the port, or a proxy opens a
 * connection in advance, which might take a response for that to its next request.
 */
function endsWithoutRequest({ code }: ClientError, socket: Socket, active: ActiveRequests): boolean {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return socket.bytesRead === 0;
  const isReset = code === 'ECONNRESET' || code === 'EPIPE';
  return isReset && (socket.bytesRead === 0 || active.hasServed(socket));
}

function closeAfter(response: ServerResponse, socket: Socket): void {
  response.shouldKeepAlive = false;
  if (response.writableFinished) socket.destroySoon();
  else response.once('close', () => socket.destroySoon());
}

/**
 * Ends the body of a request with an error. The response is that of the application if it sends one without the body,
 * and follows the responses to earlier requests on the connection.
 */
function rejectBody(response: ServerResponse, socket: Socket, malformed: MalformedRequest): void {
  closeAfter(response, socket);
  const reject = () => {
    if (response.writableEnded) return;
    // Node destroys the connection together with the body.
    respondOnSocket(malformed.code, socket, () => response.req.destroy(new IncompleteBody(malformed)));
  };
  if (response.socket) setImmediate(reject);
  else response.once('socket', () => setImmediate(reject));
}

/** Responds to a request whose head was parsed, and closes the connection, since the body was not read. */
function respond(code: string, response: ServerResponse): void {
  const { status, body, headers } = errorResponse(code);
  response.writeHead(status, headers).end(body);
}

/** How long the peer may take to receive the last response and close the connection. */
const LINGER_MILLISECONDS = 2_000;

/** Responds on a connection on which no request could be parsed, and closes it. */
function respondOnSocket(code: string, socket: Socket, onSent?: () => void): void {
  if (!socket.writable) {
    onSent?.();
    socket.destroy();
    return;
  }
  const { status, phrase, body, headers } = errorResponse(code);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${phrase}`, ...lines, '', body].join('\r\n'), onSent);
  const timer = setTimeout(() => socket.destroy(), LINGER_MILLISECONDS).unref();
  socket.once('close', () => clearTimeout(timer));
}

/** A JSON error, as every endpoint sends it. */
function errorResponse(code: string) {
  const { status, phrase, description } = responseFor(code);
  const body = JSON.stringify({ error: 'invalid_request', error_description: description });
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'content-length': body.length,
    connection: 'close',
  };
  return { status, phrase, body, headers };
}
