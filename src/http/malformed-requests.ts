import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ActiveRequests } from './active-requests.ts';
import type { Application, ErrorResponse } from './application.ts';
import type { HeaderFields } from './header-fields.ts';
import { type ClientError, explainBodyError, explainError, type MalformedRequest } from './malformed-reasons.ts';
import { IncompleteBody } from './received-request.ts';
import type { HttpServer, Serve } from './sent-response.ts';
import { type ServeUnknownMethod, serveUnknownMethods } from './unknown-methods.ts';

/** @param fields undefined if not even the header could be parsed */
export type OnMalformed = (request: MalformedRequest, socket: Socket, fields?: HeaderFields) => void;

/**
 * Rejects a request whose head is malformed. Without this, Hono's adapter would send an empty 400 and nothing would be
 * logged.
 */
export function rejectMalformed(
  { parseHead, malformed, sendsDate }: Application,
  listener: Serve,
  active: ActiveRequests,
  onMalformed: OnMalformed,
): Serve {
  return (incoming, outgoing) => {
    const { socket } = incoming;
    outgoing.sendDate = sendsDate;
    if (active.isEnding(socket)) return;
    const head = parseHead(incoming);
    if (head.kind === 'malformed') {
      active.end(socket);
      onMalformed({ code: head.code, reason: head.reason }, socket, incoming.fields);
      respond(malformed(head.code), outgoing);
      return;
    }
    if (head.framing === 'unreliable') {
      active.end(socket);
      outgoing.shouldKeepAlive = false;
    }
    incoming.url = head.target;
    listener(incoming, outgoing);
  };
}

/**
 * Responds to everything that never becomes a request: parser and TLS errors, timeouts and `CONNECT`. Without this, Node
 * would send an empty response and nothing would be logged.
 */
export function handleClientErrors(
  server: HttpServer,
  { malformed, maxHeaderBytes, acceptsAnyMethod }: Application,
  active: ActiveRequests,
  onMalformed: OnMalformed,
): void {
  const serveUnknownMethod = acceptsAnyMethod ? serveUnknownMethods(server, active) : () => false;
  const rejection = { active, onMalformed, maxHeaderBytes, responseFor: malformed, serveUnknownMethod };
  server.on('clientError', (error: ClientError, socket: Socket) => onClientError(error, socket, rejection));
  // Rejected with the rest of the request head: Node would send an empty response.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (_, socket: Socket) => {
    // Node has detached its own listeners from this socket, including the one for errors.
    socket.on('error', () => socket.destroy());
    if (active.isEnding(socket)) return;
    active.end(socket);
    onMalformed({ code: 'tunnel_unsupported', reason: 'CONNECT requests a tunnel' }, socket);
    const inFlight = active.on(socket);
    const respondLast = () => respondOnSocket(malformed('tunnel_unsupported'), socket);
    if (inFlight.kind === 'none') respondLast();
    else inFlight.response.once('close', respondLast);
  });
}

interface Rejection extends Pick<Application, 'maxHeaderBytes'> {
  readonly active: ActiveRequests;
  readonly onMalformed: OnMalformed;
  readonly responseFor: Application['malformed'];
  readonly serveUnknownMethod: ServeUnknownMethod;
}

function onClientError(error: ClientError, socket: Socket, rejection: Rejection): void {
  const { active, onMalformed, maxHeaderBytes, responseFor, serveUnknownMethod } = rejection;
  const inFlight = active.on(socket);
  const malformed = inFlight.kind === 'incomplete' ? explainBodyError(error) : explainError(error, maxHeaderBytes);
  const isLost = !socket.writable || error.code === 'ECONNRESET' || error.code?.startsWith('ERR_SSL_') === true;
  if (active.isEnding(socket)) {
    // Node's parser reports an error again for whatever follows.
    if (isLost || malformed.code === 'request_timeout') socket.destroy();
    return;
  }
  if (serveUnknownMethod(error, socket)) return;
  active.end(socket);
  const isHarmless = endsWithoutRequest(error, socket, active);
  // The application reports what it rejects, including a body that it cannot read to its end.
  if (inFlight.kind !== 'incomplete' && !isHarmless) onMalformed(malformed, socket);
  if (isLost) {
    // No response can be delivered, and a connection that waits for one would never close.
    if (inFlight.kind === 'incomplete') inFlight.response.req.destroy(new IncompleteBody(malformed));
    socket.destroy();
  } else if (inFlight.kind === 'none' && isHarmless) socket.destroy();
  else if (inFlight.kind === 'none') respondOnSocket(responseFor(malformed.code), socket);
  else if (inFlight.kind === 'received') closeAfter(inFlight.response, socket);
  else rejectBody(inFlight.response, socket, malformed, responseFor(malformed.code));
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
function rejectBody(
  response: ServerResponse,
  socket: Socket,
  malformed: MalformedRequest,
  rejection: ErrorResponse,
): void {
  closeAfter(response, socket);
  const reject = () => {
    if (response.writableEnded) return;
    // Node destroys the connection together with the body.
    respondOnSocket(rejection, socket, () => response.req.destroy(new IncompleteBody(malformed)));
  };
  if (response.socket) setImmediate(reject);
  else response.once('socket', () => setImmediate(reject));
}

/** Responds to a request whose head was parsed, and closes the connection, since the body was not read. */
function respond({ status, headers, body }: ErrorResponse, response: ServerResponse): void {
  response.writeHead(status, { ...headers, connection: 'close' }).end(body);
}

/** How long the peer may take to receive the last response and close the connection. */
const LINGER_MILLISECONDS = 2_000;

/** Responds on a connection on which no request could be parsed, and closes it. */
function respondOnSocket(response: ErrorResponse, socket: Socket, onSent?: () => void): void {
  if (!socket.writable) {
    onSent?.();
    socket.destroy();
    return;
  }
  const { status, phrase, headers, body } = response;
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${phrase}`, ...lines, '', body].join('\r\n'), onSent);
  const timer = setTimeout(() => socket.destroy(), LINGER_MILLISECONDS).unref();
  socket.once('close', () => clearTimeout(timer));
}
