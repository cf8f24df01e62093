import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ActiveRequests, RequestInFlight } from './draining.ts';
import { type ClientError, explainError, type MalformedRequest, responseFor } from './malformed-reasons.ts';
import { parseRequestHead } from './request-head.ts';

export type OnMalformed = (request: MalformedRequest) => void;

/**
 * Rejects a request whose head the adapter cannot turn into a URL. Without this, the adapter would send an empty 400
 * and nothing would be logged.
 */
export function rejectMalformed(listener: RequestListener, onMalformed: OnMalformed): RequestListener {
  return (incoming, outgoing) => {
    const head = parseRequestHead(incoming);
    if (head.kind === 'malformed') {
      onMalformed({ code: head.code, reason: head.reason });
      respond(head.code, outgoing);
      return;
    }
    if (head.framing === 'unreliable') outgoing.shouldKeepAlive = false;
    incoming.url = head.target;
    // Nothing depends on the host, since the issuer is configured, and the adapter's host grammar is not that of the RFC.
    incoming.headers.host = 'countersign.invalid';
    listener(incoming, outgoing);
  };
}

/**
 * Responds to everything that never becomes a request: parser and TLS errors, timeouts, `CONNECT` and `Expect`.
 * Without this, Node would send an empty response and nothing would be logged.
 */
export function handleClientErrors(server: Server, active: ActiveRequests, onMalformed: OnMalformed): void {
  server.on('clientError', (error: ClientError, socket: Socket) =>
    onClientError(error, socket, active.on(socket), onMalformed),
  );
  server.on('checkExpectation', (_, response) => {
    onMalformed({ code: 'INVALID_EXPECTATION', reason: 'Expect is not 100-continue' });
    respond('INVALID_EXPECTATION', response);
  });
  server.on('connect', (_, socket: Socket) => {
    onMalformed({ code: 'INVALID_METHOD', reason: 'CONNECT requests a tunnel' });
    // Node has detached its own listeners from this socket, including the one for errors.
    socket.on('error', () => socket.destroy());
    respondOnSocket('INVALID_METHOD', socket);
    socket.destroySoon();
  });
}

function onClientError(error: ClientError, socket: Socket, inFlight: RequestInFlight, onMalformed: OnMalformed): void {
  const malformed = explainError(error);
  const endBody = () => {
    if (inFlight.kind === 'incomplete') inFlight.request.destroy(new IncompleteBody(malformed));
  };
  // The application reports what it rejects, including a body that it cannot read to its end.
  if (inFlight.kind === 'none' || inFlight.kind === 'received') onMalformed(malformed);
  if (malformed.code.startsWith('ERR_SSL_')) {
    // No response can be delivered, and a connection that waits for one would never close.
    endBody();
    socket.destroy();
  } else if (inFlight.kind === 'received') inFlight.response.shouldKeepAlive = false;
  else if (inFlight.kind === 'answered') socket.destroySoon();
  else respondOnSocket(malformed.code, socket, endBody);
}

/** The error with which the body of a request ends that did not arrive in full, or not as valid HTTP. */
export class IncompleteBody extends Error {
  override readonly name = 'IncompleteBody';
  readonly status: 400 | 408;

  /** The message is the reason. */
  constructor({ code, reason }: MalformedRequest) {
    super(reason);
    this.status = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  }
}

/** Responds to a request whose head was parsed, and closes the connection, since the body was not read. */
function respond(code: string, response: ServerResponse): void {
  const { status, body, headers } = errorResponse(code);
  response.writeHead(status, headers).end(body);
}

/** Responds on a connection on which no request could be parsed, and closes it. */
function respondOnSocket(code: string, socket: Socket, onSent?: () => void): void {
  if (!socket.writable || code === 'ECONNRESET') {
    onSent?.();
    socket.destroy();
    return;
  }
  const { status, phrase, body, headers } = errorResponse(code);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${phrase}`, ...lines, '', body].join('\r\n'), onSent);
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
