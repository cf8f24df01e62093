import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Why a request is refused before the app sees it. */
export interface UnreadableRequest {
  /** For scripts: Node's code of the fault, or one of ours. */
  readonly code: string;
  /** For people. */
  readonly reason: string;
}

export type OnUnreadable = (request: UnreadableRequest) => void;

/**
 * A certificate of 16 KiB is 25 KiB as an escaped PEM, and a client may send headers of its own beside it. The shipped
 * proxy configurations let less through.
 */
export const MAX_HEADER_OCTETS = 64 * 1024;

/** What the sender of octets that are no HTTP request reads in the description; no proxy says it in the same words. */
export const UNREADABLE = 'The request is not well-formed HTTP.';

const NOT_HTTP = 'not HTTP: does the proxy speak HTTPS, or the PROXY protocol, to an HTTP listener?';
const RAW_PEM = 'a proxy that forwards the PEM as it is does this (nginx: use $ssl_client_escaped_cert)';

const reasons: Readonly<Record<string, string>> = {
  HPE_CR_EXPECTED: `a line feed inside a header field: ${RAW_PEM}`,
  HPE_LF_EXPECTED: 'a carriage return inside a header field',
  HPE_INVALID_HEADER_TOKEN: `a character that no header field may hold, or a line feed inside one: ${RAW_PEM}`,
  HPE_HEADER_OVERFLOW: `the header is larger than ${MAX_HEADER_OCTETS} octets`,
  HPE_INVALID_METHOD: NOT_HTTP,
  HPE_PAUSED_H2_UPGRADE: 'HTTP/2 without TLS, which is not served: let the proxy speak HTTP/1.1 to the server',
  ERR_HTTP_REQUEST_TIMEOUT: 'the request did not arrive in time',
};

/** Puts a fault of the connection, or of Node's parser, into the words of the operator who is to mend it. */
export function explainFault({ code = 'UNKNOWN', message }: NodeJS.ErrnoException): UnreadableRequest {
  return { code, reason: reasons[code] ?? (code.startsWith('HPE_') ? message : code) };
}

/** Answers a request whose head was parsed, and ends its connection: of its body nothing was read. */
export function answerUnread(code: string, response: ServerResponse): void {
  const { status, body, headers } = answerTo(code);
  response.writeHead(status, headers).end(body);
}

/** Answers on a connection on which nothing could be parsed, and ends it. */
export function answerUnparsed(code: string, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, phrase, body, headers } = answerTo(code);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${phrase}`, ...lines, '', body].join('\r\n'));
}

/** Its sender reads JSON, as from an endpoint. */
function answerTo(code: string) {
  const [status, phrase, description] = answers[code] ?? [400, 'Bad Request', UNREADABLE];
  const body = JSON.stringify({ error: 'invalid_request', error_description: description });
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-length': body.length,
    connection: 'close',
  };
  return { status, phrase, body, headers };
}

const answers: Readonly<Record<string, readonly [status: number, phrase: string, description: string]>> = {
  HPE_HEADER_OVERFLOW: [
    431,
    'Request Header Fields Too Large',
    `The request header, with the client certificate in it, is larger than ${MAX_HEADER_OCTETS} octets.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
  INVALID_HOST: [400, 'Bad Request', 'The request needs one Host header that holds a host.'],
  INVALID_TARGET: [400, 'Bad Request', 'The request target is not a path.'],
  INVALID_METHOD: [400, 'Bad Request', 'The server opens no tunnels.'],
  INVALID_EXPECTATION: [417, 'Expectation Failed', 'The only expectation that the server meets is 100-continue.'],
};
