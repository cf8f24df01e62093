import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type HttpResponse, httpResponse } from './http-response.ts';

/** Requests that no HTTP client sends: repeated headers, unusual spellings, `Connection` options, folded lines. */

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  /** Verbatim header lines, such as `X-SSL-Client-Cert : x`. `Host` and, with a body, `Content-Length` are added. */
  readonly lines?: readonly string[];
  /** An object is sent as a form, with its `Content-Type`. */
  readonly body?: string | Uint8Array | Readonly<Record<string, string>>;
}

type Version = 'minVersion' | 'maxVersion';
type TlsOption = Version | 'ca' | 'cert' | 'key' | 'servername' | 'ciphers' | 'session' | 'rejectUnauthorized';

export interface RawOptions {
  /** For `https:`, and for HTTPS on a Unix socket. The server certificate is verified against `ca`. */
  readonly tls?: Pick<ConnectionOptions, TlsOption>;
  /** The source address of the connection, such as `127.0.0.2`. */
  readonly localAddress?: string;
  /** Milliseconds for the whole exchange. Default: 60,000. */
  readonly timeout?: number;
}

/**
 * Sends a request with exactly these header lines, and resolves to the response.
 *
 * @param target `http://host:port`, `https://host:port` or `unix:/path`
 */
export function sendRequest(target: string, request: RawRequest, options: RawOptions = {}): Promise<HttpResponse> {
  return sendRaw(target, requestBytes(request), options);
}

/** The bytes of a request: CRLF after each line, without any validation. */
export function requestBytes({ method = 'POST', path = '/token', lines = [], body }: RawRequest): Uint8Array {
  const isForm = typeof body === 'object' && !(body instanceof Uint8Array);
  const content = Buffer.from(isForm ? new URLSearchParams(body).toString() : (body ?? ''));
  const added = [
    ...addUnless(lines, 'Host', 'localhost'),
    ...(isForm ? addUnless(lines, 'Content-Type', 'application/x-www-form-urlencoded') : []),
    ...(body === undefined ? [] : addUnless(lines, 'Content-Length', String(content.length))),
  ];
  const head = [`${method} ${path} HTTP/1.1`, ...added, ...lines, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), content]);
}

/**
 * Sends these bytes and reads one response, up to the end of its framing or, without framing, of the connection.
 *
 * @throws {Error} if the connection fails, closes without a response, or takes too long
 */
export async function sendRaw(target: string, bytes: Uint8Array, options: RawOptions = {}): Promise<HttpResponse> {
  const socket = connectTo(target, options);
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  let received = Buffer.alloc(0);
  const settle = (closed: boolean) => {
    const response = readResponse(received, closed);
    if (response) resolve(response);
    return response !== undefined;
  };
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    settle(false);
  });
  const fail = (error: Error) => settle(true) || reject(error);
  socket.once('error', fail).once('close', () => fail(new Error(`closed after ${received.length} bytes`)));
  socket.write(bytes);
  const { timeout = 60_000 } = options;
  const timer = setTimeout(() => reject(new Error(`no response in ${timeout} ms: ${received}`)), timeout);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

function connectTo(target: string, { tls, localAddress }: RawOptions): Socket {
  if (target.startsWith('unix:')) {
    const path = target.slice('unix:'.length);
    return tls ? connectTls({ path, ...tls }) : connect({ path });
  }
  const { protocol, hostname, port } = new URL(target);
  const from = localAddress ? { localAddress } : {};
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), ...from };
  return protocol === 'https:' ? connectTls({ ...address, servername: 'localhost', ...tls }) : connect(address);
}

function addUnless(lines: readonly string[], name: string, value: string): string[] {
  const prefix = `${name.toLowerCase()}:`;
  return lines.some((line) => line.toLowerCase().startsWith(prefix)) ? [] : [`${name}: ${value}`];
}

/** The final response in the bytes received so far, or undefined if it is incomplete. */
function readResponse(received: Buffer, closed: boolean): HttpResponse | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = received.toString('latin1', 0, headEnd);
  const rest = received.subarray(headEnd + 4);
  const isInterim = /^HTTP\/1\.1 1\d\d/.test(head);
  if (isInterim) return readResponse(rest, closed);
  const body = readBody(head, rest, closed);
  return body && httpResponse(head, body);
}

/** The body of a response to any method but HEAD (RFC 9112 §6.3). */
function readBody(head: string, rest: Buffer, closed: boolean): Uint8Array | undefined {
  if (/^HTTP\/1\.1 (204|304)/.test(head)) return Buffer.alloc(0);
  if (/^transfer-encoding:.*chunked/im.test(head)) return readChunks(rest);
  const declared = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (declared === undefined) return closed ? rest : undefined;
  return rest.length >= Number(declared) ? rest.subarray(0, Number(declared)) : undefined;
}

function readChunks(rest: Buffer): Uint8Array | undefined {
  const chunks: Buffer[] = [];
  for (let offset = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', offset);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', offset, lineEnd), 16);
    const start = lineEnd + 2;
    if (size === 0) return rest.indexOf('\r\n', start) < 0 ? undefined : Buffer.concat(chunks);
    if (rest.length < start + size + 2) return undefined;
    chunks.push(rest.subarray(start, start + size));
    offset = start + size + 2;
  }
}
