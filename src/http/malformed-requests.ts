import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ActiveRequests } from './draining.ts';
import { parseRequestHead } from './request-head.ts';

/** Why a request is rejected before it reaches the application. */
export interface MalformedRequest {
  /** Machine-readable: Node's error code, or one of ours (`INVALID_HOST` and the like). */
  readonly code: string;
  /** Human-readable. */
  readonly reason: string;
}

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
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const malformed = explainError(error);
    onMalformed(malformed);
    // After a TLS error no response can be delivered, and a connection that waits for one would never close.
    if (malformed.code.startsWith('ERR_SSL_')) socket.destroy();
    else if (!active.closeAfterResponse(socket)) respondOnSocket(malformed.code, socket);
  });
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

/**
 * The maximum size of a request header. A certificate of 16 KiB takes 25 KiB as an escaped PEM, and the client may send
 * headers of its own. The shipped proxy configurations allow less.
 */
export const MAX_HEADER_BYTES = 64 * 1024;

const NOT_HTTP = 'not HTTP: does the proxy use HTTPS or the PROXY protocol to connect to an HTTP listener?';
const RAW_PEM = 'a proxy that forwards an unescaped PEM causes this (nginx: use $ssl_client_escaped_cert)';

const reasons: Readonly<Record<string, string>> = {
  HPE_CR_EXPECTED: `a line feed inside a header field: ${RAW_PEM}`,
  HPE_LF_EXPECTED: 'a carriage return inside a header field',
  HPE_INVALID_HEADER_TOKEN: `a character that is not allowed in a header field, or a line feed inside one: ${RAW_PEM}`,
  HPE_HEADER_OVERFLOW: `the header is larger than ${MAX_HEADER_BYTES} bytes`,
  HPE_INVALID_METHOD: NOT_HTTP,
  HPE_PAUSED_H2_UPGRADE: 'HTTP/2 without TLS is not supported: configure the proxy to use HTTP/1.1 to the server',
  ERR_HTTP_REQUEST_TIMEOUT: 'the request did not arrive in time',
};

/** Explains an error of the connection, or of Node's HTTP parser, to the operator who has to fix it. */
export function explainError({ code = 'UNKNOWN', message }: NodeJS.ErrnoException): MalformedRequest {
  return { code, reason: reasons[code] ?? (code.startsWith('HPE_') ? message : code) };
}

/** Responds to a request whose head was parsed, and closes the connection, since the body was not read. */
function respond(code: string, response: ServerResponse): void {
  const { status, body, headers } = errorResponse(code);
  response.writeHead(status, headers).end(body);
}

/** Responds on a connection on which no request could be parsed, and closes it. */
function respondOnSocket(code: string, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, phrase, body, headers } = errorResponse(code);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${phrase}`, ...lines, '', body].join('\r\n'));
}

/** A JSON error, as every endpoint sends it. */
function errorResponse(code: string) {
  const [status, phrase, description] = responses[code] ?? [400, 'Bad Request', MALFORMED_DESCRIPTION];
  const body = JSON.stringify({ error: 'invalid_request', error_description: description });
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-length': body.length,
    connection: 'close',
  };
  return { status, phrase, body, headers };
}

/** The `error_description` for bytes that are not an HTTP request. No proxy uses the same text. */
export const MALFORMED_DESCRIPTION = 'The request is not well-formed HTTP.';

const responses: Readonly<Record<string, readonly [status: number, phrase: string, description: string]>> = {
  HPE_HEADER_OVERFLOW: [
    431,
    'Request Header Fields Too Large',
    `The request header, with the client certificate in it, is larger than ${MAX_HEADER_BYTES} bytes.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
  INVALID_HOST: [400, 'Bad Request', 'The request needs one Host header that holds a host.'],
  INVALID_TARGET: [400, 'Bad Request', 'The request target is not a path.'],
  INVALID_METHOD: [400, 'Bad Request', 'The server opens no tunnels.'],
  INVALID_EXPECTATION: [417, 'Expectation Failed', 'The only expectation that the server meets is 100-continue.'],
};
