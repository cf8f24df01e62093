import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ActiveRequests } from './draining.ts';

/** Passes on what the adaptor can make a URL of; else it would answer with an empty 400, and tell nobody. */
export function rejectMalformed(listener: RequestListener, onMalformed: OnMalformed): RequestListener {
  return (incoming, outgoing) => {
    const head = parseRequestHead(incoming);
    if (head.kind === 'unreadable') {
      onMalformed({ code: head.code, reason: head.reason });
      respondToMalformed(head.code, outgoing);
      return;
    }
    incoming.url = head.target;
    // Nothing depends on the host, as the issuer is configured; the adaptor's grammar for it is not the RFC's.
    incoming.headers.host = 'countersign.invalid';
    listener(incoming, outgoing);
  };
}

/** Answers what never becomes a request. Node itself would answer with nothing, and tell nobody. */
export function handleClientErrors(server: Server, active: ActiveRequests, onMalformed: OnMalformed): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const fault = explainError(error);
    onMalformed(fault);
    // After a fault of TLS no answer gets through, and a connection that waits for one would stay.
    if (fault.code.startsWith('ERR_SSL_')) socket.destroy();
    else if (!active.closeAfterResponse(socket)) respondToUnparsed(fault.code, socket);
  });
  server.on('checkExpectation', (_, response) => {
    onMalformed({ code: 'INVALID_EXPECTATION', reason: 'Expect is not 100-continue' });
    respondToMalformed('INVALID_EXPECTATION', response);
  });
  server.on('connect', (_, socket: Socket) => {
    onMalformed({ code: 'INVALID_METHOD', reason: 'CONNECT asks for a tunnel' });
    // Node has let go of the socket, also of its errors.
    socket.on('error', () => socket.destroy());
    respondToUnparsed('INVALID_METHOD', socket);
    socket.destroySoon();
  });
}

/** The target of a request in origin-form, which begins with `/`; or why the head is none that we read. */
export type RequestHead =
  | { readonly kind: 'readable'; readonly target: string }
  | ({ readonly kind: 'unreadable' } & MalformedRequest);

/** Checks what Node's parser lets pass of the request target and of Host (RFC 9112 §3.2). */
export function parseRequestHead({ rawHeaders, httpVersion, url = '' }: IncomingMessage): RequestHead {
  const hosts = valuesOfHost(rawHeaders);
  // Only HTTP/1.0 does without.
  if (hosts.length !== 1 && (hosts.length > 1 || httpVersion !== '1.0')) {
    return malformed('INVALID_HOST', `Host came ${hosts.length} times`);
  }
  const wrong = hosts.find((host) => !isAuthority(host));
  if (wrong !== undefined) return malformed('INVALID_HOST', `Host holds ${shown(wrong)}, which is not a host`);
  const target = originForm(url);
  if (target === undefined) return malformed('INVALID_TARGET', `the request target ${shown(url)} is not a path`);
  return { kind: 'readable', target };
}

function valuesOfHost(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host');
}

/** A server must also take the absolute-form (RFC 9112 §3.2.2), of which only the path tells us anything. */
function originForm(url: string): string | undefined {
  const [, authority = '', rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? ['', 'none', url];
  const target = rest.startsWith('?') || rest === '' ? `/${rest}` : rest;
  const isPath = target.startsWith('/') && !target.includes('\\');
  return isPath && authority !== '' && isAuthority(authority) ? target : undefined;
}

const MAX_AUTHORITY = 300;
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::(\d{0,5}))?$/;

/** RFC 3986 §3.2.2 and §3.2.3: a host, which may be empty, and a port. */
function isAuthority(text: string): boolean {
  const match = text.length > MAX_AUTHORITY ? null : AUTHORITY.exec(text);
  return match !== null && Number(match[1] ?? 0) <= 65_535;
}

const MAX_SHOWN = 120;

function shown(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

function malformed(code: string, reason: string): RequestHead {
  return { kind: 'unreadable', code, reason };
}

/** Why a request is refused before the app sees it. */
export interface MalformedRequest {
  /** For scripts: Node's code of the fault, or one of ours. */
  readonly code: string;
  /** For people. */
  readonly reason: string;
}

export type OnMalformed = (request: MalformedRequest) => void;

/**
 * A certificate of 16 KiB is 25 KiB as an escaped PEM, and a client may send headers of its own beside it. The shipped
 * proxy configurations let less through.
 */
export const MAX_HEADER_BYTES = 64 * 1024;

/** What the sender of octets that are no HTTP request reads in the description; no proxy says it in the same words. */
export const MALFORMED_DESCRIPTION = 'The request is not well-formed HTTP.';

const NOT_HTTP = 'not HTTP: does the proxy speak HTTPS, or the PROXY protocol, to an HTTP listener?';
const RAW_PEM = 'a proxy that forwards the PEM as it is does this (nginx: use $ssl_client_escaped_cert)';

const reasons: Readonly<Record<string, string>> = {
  HPE_CR_EXPECTED: `a line feed inside a header field: ${RAW_PEM}`,
  HPE_LF_EXPECTED: 'a carriage return inside a header field',
  HPE_INVALID_HEADER_TOKEN: `a character that no header field may hold, or a line feed inside one: ${RAW_PEM}`,
  HPE_HEADER_OVERFLOW: `the header is larger than ${MAX_HEADER_BYTES} octets`,
  HPE_INVALID_METHOD: NOT_HTTP,
  HPE_PAUSED_H2_UPGRADE: 'HTTP/2 without TLS, which is not served: let the proxy speak HTTP/1.1 to the server',
  ERR_HTTP_REQUEST_TIMEOUT: 'the request did not arrive in time',
};

/** Puts a fault of the connection, or of Node's parser, into the words of the operator who is to mend it. */
export function explainError({ code = 'UNKNOWN', message }: NodeJS.ErrnoException): MalformedRequest {
  return { code, reason: reasons[code] ?? (code.startsWith('HPE_') ? message : code) };
}

/** Answers a request whose head was parsed, and ends its connection: of its body nothing was read. */
export function respondToMalformed(code: string, response: ServerResponse): void {
  const { status, body, headers } = answerTo(code);
  response.writeHead(status, headers).end(body);
}

/** Answers on a connection on which nothing could be parsed, and ends it. */
export function respondToUnparsed(code: string, socket: Socket): void {
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
  const [status, phrase, description] = answers[code] ?? [400, 'Bad Request', MALFORMED_DESCRIPTION];
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
    `The request header, with the client certificate in it, is larger than ${MAX_HEADER_BYTES} octets.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
  INVALID_HOST: [400, 'Bad Request', 'The request needs one Host header that holds a host.'],
  INVALID_TARGET: [400, 'Bad Request', 'The request target is not a path.'],
  INVALID_METHOD: [400, 'Bad Request', 'The server opens no tunnels.'],
  INVALID_EXPECTATION: [417, 'Expectation Failed', 'The only expectation that the server meets is 100-continue.'],
};
