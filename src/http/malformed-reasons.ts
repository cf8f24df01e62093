import { STATUS_CODES } from 'node:http';
import { type HttpReasonCode, reasonOf } from '../reasons/reasons.ts';

/** Why a request is rejected before it reaches the application. */
export interface MalformedRequest {
  readonly code: HttpReasonCode;
  /** The error code of Node or of its parser, if it found the error. */
  readonly cause?: string;
  /** Human-readable. */
  readonly reason: string;
}

/** An error of a connection, or of Node's HTTP parser, which adds the bytes that it was parsing. */
export interface ClientError extends NodeJS.ErrnoException {
  readonly rawPacket?: Uint8Array;
  readonly bytesParsed?: number;
}

/** An error of OpenSSL as Node reports it: only the first one, which may be the cause of the others. */
export interface HandshakeError extends NodeJS.ErrnoException {
  /** The part of OpenSSL that it comes from. */
  readonly library?: string;
}

/** The body of a request has been arriving for longer than those of all others, and too many are arriving. */
export class BodyDisplaced extends Error implements ClientError {
  readonly code = 'ERR_BODY_DISPLACED';
}

/**
 * Explains an error of the connection, or of Node's HTTP parser, to the operator who has to fix it.
 *
 * @param maxHeaderBytes the limit of the listener
 */
export function explainError(error: ClientError, maxHeaderBytes = MAX_HEADER_BYTES): MalformedRequest {
  const { code: cause = 'UNKNOWN' } = error;
  if (cause === 'HPE_HEADER_OVERFLOW')
    return { code: 'header_too_large', cause, reason: `the header is larger than ${maxHeaderBytes} bytes` };
  if (cause === 'HPE_INVALID_METHOD') return { cause, ...explainMethod(error) };
  if (cause === 'HPE_INVALID_VERSION' && hasVersion(error)) {
    const reason = 'the request line does not end with CR LF after the HTTP version';
    return { code: 'http_malformed', cause, reason };
  }
  const [code, reason] = explanations[cause] ?? unknownError(cause);
  return { code, cause, reason: mayBePem.has(cause) && hasPem(error) ? `${reason}: ${RAW_PEM}` : reason };
}

/** Explains why a TLS handshake failed. */
export function explainHandshakeError(error: HandshakeError): MalformedRequest {
  const { reason, ...explained } = explainError(error);
  return { ...explained, reason: `in the TLS handshake: ${certificateProblem(error) ?? reason}` };
}

/** Most errors that do not come from the TLS library are those of the certificate that it was given. */
function certificateProblem({ library, code }: HandshakeError): string | undefined {
  if (library === undefined || library === TLS_LIBRARY) return undefined;
  if (library.startsWith('asn1')) return `${MALFORMED_CERTIFICATE} (${code})`;
  return `the certificate that the peer presented is malformed, or the peer does not prove that it has its private key (${code})`;
}

/** The name by which OpenSSL calls its TLS library in {@link HandshakeError}. */
export const TLS_LIBRARY = 'SSL routines';

const MALFORMED_CERTIFICATE = 'the certificate that the peer presented is malformed';

/** Explains an error after the header of a request. */
export function explainBodyError(error: ClientError): MalformedRequest {
  const { code: cause = '' } = error;
  const reason = bodyReasons[cause];
  return reason === undefined ? explainError(error) : { code: 'chunk_malformed', cause, reason };
}

/**
 * The maximum size of a request header. A certificate of 16 KiB takes 25 KiB as an escaped PEM, and the client may send
 * headers of its own. The shipped proxy configurations allow less.
 */
export const MAX_HEADER_BYTES = 64 * 1024;

const RAW_PEM = 'a proxy that forwards an unescaped PEM causes this (nginx: use $ssl_client_escaped_cert)';
const ONLY_HTTP_1 = 'configure the proxy to use HTTP/1.1 to the server';

type Explanation = readonly [code: HttpReasonCode, reason: string];

function unknownError(cause: string): Explanation {
  if (cause.startsWith('HPE_')) return ['http_malformed', `not well-formed HTTP (${cause})`];
  return [cause.startsWith('ERR_SSL_') ? 'tls_handshake_failed' : 'connection_lost', cause];
}

/** By Node's error code. */
const explanations: Readonly<Record<string, Explanation>> = {
  HPE_CR_EXPECTED: ['header_field_malformed', 'a line feed inside a header field'],
  HPE_LF_EXPECTED: ['header_field_malformed', 'a carriage return inside a header field'],
  HPE_INVALID_HEADER_TOKEN: [
    'header_field_malformed',
    'a character that is not allowed in a header field, or a line feed inside one',
  ],
  HPE_INVALID_URL: ['target_invalid', 'the request target has a character that is not allowed in a URL'],
  HPE_INVALID_CONSTANT: ['http_malformed', 'the request line does not end in an HTTP version'],
  HPE_INVALID_VERSION: ['http_version_unsupported', `the HTTP version is neither 1.0 nor 1.1: ${ONLY_HTTP_1}`],
  HPE_PAUSED_H2_UPGRADE: ['http_version_unsupported', `HTTP/2 without TLS is not supported: ${ONLY_HTTP_1}`],
  HPE_INVALID_TRANSFER_ENCODING: [
    'transfer_encoding_invalid',
    'Transfer-Encoding is not exactly chunked: the end of the body is unknown',
  ],
  HPE_INVALID_CONTENT_LENGTH: [
    'content_length_invalid',
    'Content-Length is not a number, or is sent together with Transfer-Encoding',
  ],
  HPE_UNEXPECTED_CONTENT_LENGTH: [
    'content_length_invalid',
    'Content-Length is sent twice, or together with Transfer-Encoding',
  ],
  HPE_INVALID_CHUNK_SIZE: ['chunk_malformed', 'a chunk of the body has an invalid size'],
  HPE_STRICT: ['http_malformed', 'a carriage return without a line feed behind it'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['chunk_malformed', 'the chunk extensions of the body are too large'],
  HPE_INVALID_EOF_STATE: ['connection_lost', 'the connection was closed before the request was complete'],
  HPE_CLOSED_CONNECTION: ['http_malformed', 'data follows a request after which the connection closes'],
  ECONNRESET: ['connection_lost', 'the connection was reset'],
  EPIPE: ['connection_lost', 'the connection was closed while the response was sent'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'the request did not arrive in time'],
  ERR_BODY_DISPLACED: [
    'request_timeout',
    'it was arriving for longer than all others, and more than COUNTERSIGN_MAX_REQUESTS_IN_FLIGHT were arriving',
  ],
  ERR_SSL_HTTP_REQUEST: [
    'protocol_mismatch',
    'HTTP on an HTTPS listener: configure the proxy to use HTTPS to the server',
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: [
    'protocol_mismatch',
    'not TLS: does the proxy use HTTP or the PROXY protocol to connect to an HTTPS listener?',
  ],
  ERR_SSL_UNSUPPORTED_PROTOCOL: [
    'tls_handshake_failed',
    'the peer supports no TLS version above 1.1; the server requires TLS 1.2 or 1.3',
  ],
  ERR_SSL_NO_SHARED_CIPHER: ['tls_handshake_failed', 'the peer and the server have no cipher suite in common'],
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: [
    'tls_handshake_failed',
    'the peer does not trust the CA of the certificate of the server',
  ],
  ERR_SSL_WRONG_CURVE: [
    'tls_handshake_failed',
    'the key of the certificate that the peer presented is on another curve than P-256, P-384 and P-521',
  ],
  ERR_SSL_WRONG_SIGNATURE_TYPE: [
    'tls_handshake_failed',
    'the peer signed the handshake with an algorithm that the server or the key of its certificate does not support',
  ],
  ERR_SSL_CERT_LENGTH_MISMATCH: ['tls_handshake_failed', MALFORMED_CERTIFICATE],
  ERR_TLS_HANDSHAKE_TIMEOUT: ['tls_handshake_failed', 'the handshake did not complete in time'],
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
  const code = 'protocol_mismatch';
  if (text.startsWith('\x16\x03'))
    return { code, reason: 'a TLS handshake on an HTTP listener: configure the proxy to use HTTP to the server' };
  if (/^PROXY (?:TCP[46]|UNKNOWN)/.test(line) || text.startsWith(PROXY_V2))
    return { code, reason: 'the PROXY protocol is not supported: turn it off in the proxy' };
  if (/^[!#$%&'*+.^_`|~\w-]+ \S+ HTTP\/1\.[01]$/.test(line))
    return { code: 'method_unsupported', reason: 'the server does not support the request method' };
  return { code: 'http_malformed', reason: 'not HTTP' };
}

/** The signature of version 2 of the PROXY protocol. */
const PROXY_V2 = '\r\n\r\n\0\r\nQUIT\n';

interface MalformedResponse {
  readonly status: number;
  readonly phrase: string;
  /** The `error_description`. */
  readonly description: string;
}

/** The response to a malformed request. */
export function responseFor(code: HttpReasonCode): MalformedResponse {
  const { status = 400 } = reasonOf(code);
  return { status, phrase: STATUS_CODES[status] ?? '', description: descriptions[code] ?? MALFORMED_DESCRIPTION };
}

/** The `error_description` for bytes that are not an HTTP request. No proxy uses the same text. */
export const MALFORMED_DESCRIPTION = 'The request is not well-formed HTTP.';

const descriptions: Partial<Readonly<Record<HttpReasonCode, string>>> = {
  header_too_large: `The request header, with the client certificate in it, is larger than ${MAX_HEADER_BYTES} bytes.`,
  http_version_unsupported: 'The server supports HTTP/1.1 and HTTP/1.0.',
  transfer_encoding_invalid: 'The last Transfer-Encoding of the request must be chunked.',
  transfer_encoding_unsupported: 'The server supports no Transfer-Encoding but chunked.',
  method_unsupported: 'The server does not support the request method.',
  request_timeout: 'The request did not arrive in time.',
  host_invalid: 'The request needs one Host header that holds a host.',
  target_invalid: 'The request target is not a path.',
  tunnel_unsupported: 'The server opens no tunnels.',
  expectation_unsupported: 'The only expectation that the server meets is 100-continue.',
};
