/** Why a request is rejected before it reaches the application. */
export interface MalformedRequest {
  /** Machine-readable: Node's error code, or one of ours (`INVALID_HOST` and the like). */
  readonly code: string;
  /** Human-readable. */
  readonly reason: string;
}

/** An error of a connection, or of Node's HTTP parser, which adds the bytes that it was parsing. */
export interface ClientError extends NodeJS.ErrnoException {
  readonly rawPacket?: Uint8Array;
  readonly bytesParsed?: number;
}

/**
 * Explains an error of the connection, or of Node's HTTP parser, to the operator who has to fix it.
 *
 * @param maxHeaderBytes the limit of the listener
 */
export function explainError(error: ClientError, maxHeaderBytes = MAX_HEADER_BYTES): MalformedRequest {
  const { code = 'UNKNOWN' } = error;
  if (code === 'HPE_HEADER_OVERFLOW') return { code, reason: `the header is larger than ${maxHeaderBytes} bytes` };
  if (code === 'HPE_INVALID_METHOD') return explainMethod(error);
  if (code === 'HPE_INVALID_VERSION' && hasVersion(error))
    return { code: 'INVALID_REQUEST_LINE', reason: 'the request line does not end with CR LF after the HTTP version' };
  const reason = reasons[code] ?? (code.startsWith('HPE_') ? `not well-formed HTTP (${code})` : code);
  return { code, reason: mayBePem.has(code) && hasPem(error) ? `${reason}: ${RAW_PEM}` : reason };
}

/** Explains an error after the header of a request. */
export function explainBodyError(error: ClientError): MalformedRequest {
  const reason = bodyReasons[error.code ?? ''];
  return reason === undefined ? explainError(error) : { code: 'INVALID_CHUNK', reason };
}

/**
 * The maximum size of a request header. A certificate of 16 KiB takes 25 KiB as an escaped PEM, and the client may send
 * headers of its own. The shipped proxy configurations allow less.
 */
export const MAX_HEADER_BYTES = 64 * 1024;

const RAW_PEM = 'a proxy that forwards an unescaped PEM causes this (nginx: use $ssl_client_escaped_cert)';
const ONLY_HTTP_1 = 'configure the proxy to use HTTP/1.1 to the server';

const reasons: Readonly<Record<string, string>> = {
  HPE_CR_EXPECTED: 'a line feed inside a header field',
  HPE_LF_EXPECTED: 'a carriage return inside a header field',
  HPE_INVALID_HEADER_TOKEN: 'a character that is not allowed in a header field, or a line feed inside one',
  HPE_INVALID_URL: 'the request target has a character that is not allowed in a URL',
  HPE_INVALID_CONSTANT: 'the request line does not end in an HTTP version',
  HPE_INVALID_VERSION: `the HTTP version is neither 1.0 nor 1.1: ${ONLY_HTTP_1}`,
  HPE_PAUSED_H2_UPGRADE: `HTTP/2 without TLS is not supported: ${ONLY_HTTP_1}`,
  HPE_INVALID_TRANSFER_ENCODING: 'Transfer-Encoding is not exactly chunked: the end of the body is unknown',
  HPE_INVALID_CONTENT_LENGTH: 'Content-Length is not a number, or is sent together with Transfer-Encoding',
  HPE_UNEXPECTED_CONTENT_LENGTH: 'Content-Length is sent twice, or together with Transfer-Encoding',
  HPE_INVALID_CHUNK_SIZE: 'a chunk of the body has an invalid size',
  HPE_STRICT: 'a carriage return without a line feed behind it',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'the chunk extensions of the body are too large',
  HPE_INVALID_EOF_STATE: 'the connection was closed before the request was complete',
  HPE_CLOSED_CONNECTION: 'data follows a request after which the connection closes',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed while the response was sent',
  ERR_HTTP_REQUEST_TIMEOUT: 'the request did not arrive in time',
  ERR_SSL_HTTP_REQUEST: 'HTTP on an HTTPS listener: configure the proxy to use HTTPS to the server',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'not TLS: does the proxy use HTTP or the PROXY protocol to connect to an HTTPS listener?',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the peer supports no TLS version above 1.1; the server requires TLS 1.2 or 1.3',
  ERR_SSL_NO_SHARED_CIPHER: 'the peer and the server have no cipher suite in common',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the peer does not trust the CA of the certificate of the server',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'the handshake did not complete in time',
};

/** The errors that an unescaped PEM in a header field causes. */
const mayBePem: ReadonlySet<string> = new Set(['HPE_CR_EXPECTED', 'HPE_INVALID_HEADER_TOKEN']);

const MALFORMED_LINE = 'the line of a chunk size, or a field of the trailer, is malformed';

/** What errors of the header mean in a chunked body. */
const bodyReasons: Readonly<Record<string, string>> = {
  HPE_STRICT: 'a chunk of the body does not have the size that it declares',
  HPE_CR_EXPECTED: MALFORMED_LINE,
  HPE_LF_EXPECTED: MALFORMED_LINE,
  HPE_INVALID_HEADER_TOKEN: MALFORMED_LINE,
  HPE_HEADER_OVERFLOW: 'the trailer is larger than the header may be',
};

function hasPem({ rawPacket = new Uint8Array() }: ClientError): boolean {
  return Buffer.from(rawPacket).includes('-----BEGIN ');
}

/** Whether the parser stopped behind a version that the server supports. */
function hasVersion({ rawPacket = new Uint8Array(), bytesParsed = 0 }: ClientError): boolean {
  const text = Buffer.from(rawPacket).toString('latin1');
  return /HTTP\/1\.[01]\n?$/.test(text.slice(0, bytesParsed)) && !/^\d/.test(text.slice(bytesParsed));
}

/** Names what was sent in the place of a known method, as far as the bytes prove it. */
function explainMethod({ rawPacket = new Uint8Array(), bytesParsed = 0 }: ClientError): MalformedRequest {
  const text = Buffer.from(rawPacket).toString('latin1');
  const line = text.slice(text.lastIndexOf('\n', bytesParsed - 1) + 1).split('\r')[0] ?? '';
  const code = 'HPE_INVALID_METHOD';
  if (text.startsWith('\x16\x03'))
    return { code, reason: 'a TLS handshake on an HTTP listener: configure the proxy to use HTTP to the server' };
  if (/^PROXY (?:TCP[46]|UNKNOWN)/.test(line) || text.startsWith(PROXY_V2))
    return { code, reason: 'the PROXY protocol is not supported: turn it off in the proxy' };
  if (/^[!#$%&'*+.^_`|~\w-]+ \S+ HTTP\/1\.[01]$/.test(line))
    return { code: 'UNKNOWN_METHOD', reason: 'the server does not support the request method' };
  return { code, reason: 'not HTTP' };
}

/** The signature of version 2 of the PROXY protocol. */
const PROXY_V2 = '\r\n\r\n\0\r\nQUIT\n';

interface MalformedResponse {
  readonly status: number;
  readonly phrase: string;
  /** The `error_description`. */
  readonly description: string;
}

/** The response to a malformed request, by code. */
export function responseFor(code: string): MalformedResponse {
  const [status, phrase, description] = responses[code] ?? [400, 'Bad Request', MALFORMED_DESCRIPTION];
  return { status, phrase, description };
}

/** The `error_description` for bytes that are not an HTTP request. No proxy uses the same text. */
export const MALFORMED_DESCRIPTION = 'The request is not well-formed HTTP.';

const UNSUPPORTED_VERSION = [505, 'HTTP Version Not Supported', 'The server supports HTTP/1.1 and HTTP/1.0.'] as const;

const UNKNOWN_LENGTH = [400, 'Bad Request', 'The last Transfer-Encoding of the request must be chunked.'] as const;

const responses: Readonly<Record<string, readonly [status: number, phrase: string, description: string]>> = {
  HPE_HEADER_OVERFLOW: [
    431,
    'Request Header Fields Too Large',
    `The request header, with the client certificate in it, is larger than ${MAX_HEADER_BYTES} bytes.`,
  ],
  HPE_INVALID_VERSION: UNSUPPORTED_VERSION,
  HPE_PAUSED_H2_UPGRADE: UNSUPPORTED_VERSION,
  UNSUPPORTED_VERSION,
  HPE_INVALID_TRANSFER_ENCODING: UNKNOWN_LENGTH,
  INVALID_TRANSFER_ENCODING: UNKNOWN_LENGTH,
  UNSUPPORTED_TRANSFER_ENCODING: [501, 'Not Implemented', 'The server supports no Transfer-Encoding but chunked.'],
  UNKNOWN_METHOD: [501, 'Not Implemented', 'The server does not support the request method.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not arrive in time.'],
  INVALID_HOST: [400, 'Bad Request', 'The request needs one Host header that holds a host.'],
  INVALID_TARGET: [400, 'Bad Request', 'The request target is not a path.'],
  INVALID_METHOD: [400, 'Bad Request', 'The server opens no tunnels.'],
  INVALID_EXPECTATION: [417, 'Expectation Failed', 'The only expectation that the server meets is 100-continue.'],
};
