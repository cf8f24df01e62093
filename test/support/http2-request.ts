import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { type HttpResponse, httpResponse } from './http-response.ts';
import type { RawOptions } from './raw-http.ts';

/** An HTTP/2 request with headers that HTTP clients do not send. */
interface Http2Request {
  readonly authority: string;
  readonly path?: string;
  /** Headers by lower-case name. A header with several values is repeated. */
  readonly fields?: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
  readonly trailers?: Readonly<Record<string, string>>;
}

/** An HTTP/2 connection for sequential requests. */
export interface Http2Connection {
  readonly send: (request: Http2Request) => Promise<HttpResponse>;
  readonly close: () => void;
}

const TIMEOUT = 60_000;

/**
 * Opens a connection to `https://127.0.0.1:PORT`.
 *
 * @throws {Error} if the handshake fails, or the server does not negotiate HTTP/2
 */
export async function connectHttp2(target: string, tls: RawOptions['tls'] = {}): Promise<Http2Connection> {
  const { hostname, port } = new URL(target);
  const socket = connectTls({ host: hostname, port: Number(port), ALPNProtocols: ['h2'], ...tls });
  await new Promise((resolve, reject) => void socket.once('secureConnect', resolve).once('error', reject));
  if (socket.alpnProtocol !== 'h2') {
    socket.destroy();
    throw new Error('the server does not negotiate HTTP/2');
  }
  const session = connect(target, { createConnection: () => socket });
  session.on('error', () => {}); // The request in flight reports the error.
  return { send: (request) => send(session, request), close: () => session.destroy() };
}

function send(session: ClientHttp2Session, request: Http2Request): Promise<HttpResponse> {
  const { authority, path = '/token', fields = {}, body, trailers } = request;
  const pseudo = { ':method': 'POST', ':scheme': 'https', ':authority': authority, ':path': path };
  const headers = { ...pseudo, 'content-type': 'application/x-www-form-urlencoded', ...fields };
  // Safe: only the type lacks read-only arrays; Node.js does not change them.
  const stream = session.request(headers as OutgoingHttpHeaders, { waitForTrailers: trailers !== undefined });
  if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  const chunks: Buffer[] = [];
  let head = '';
  stream.once('response', (received) => {
    const lines = Object.entries(received).filter(([name]) => !name.startsWith(':'));
    head = [`HTTP/2 ${received[':status']}`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.once('error', reject);
  stream.once('close', () => {
    if (head === '') reject(new Error('the stream was reset without a response'));
    else resolve(httpResponse(head, Buffer.concat(chunks)));
  });
  stream.setTimeout(TIMEOUT, () => stream.destroy(new Error(`no response in ${TIMEOUT} ms`)));
  stream.end(body);
  return promise;
}
