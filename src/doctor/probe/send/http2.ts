import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { type ProbeResponse, parseResponse } from '../trial.ts';
import { type Failure, failureOf, TIMEOUT_MS, timedOut } from './connection.ts';

export interface Http2Request {
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  readonly trailers: OutgoingHttpHeaders | undefined;
}

/** Sends requests in order over one connection, and resolves to the response to the last one. */
export async function sendOverHttp2(socket: TLSSocket, requests: readonly Http2Request[]): Promise<ProbeResponse> {
  if (socket.alpnProtocol !== 'h2') return { kind: 'closed', detail: 'HTTP/2 is not offered' };
  const ended = Promise.withResolvers<Failure>();
  // The origin is unused: the connection exists, and each request names its host.
  const session = connect('https://proxy.invalid', { createConnection: () => socket });
  session.on('error', (error) => ended.resolve(failureOf(error)));
  session.once('close', () => ended.resolve({ kind: 'closed', detail: 'closed the connection' }));
  const timer = setTimeout(() => ended.resolve(timedOut), TIMEOUT_MS);
  let response: ProbeResponse = { kind: 'closed', detail: 'nothing was sent' };
  try {
    for (const request of requests) {
      response = await Promise.race([exchange(session, request), ended.promise]);
      if (response.kind !== 'answered') break;
    }
    return response;
  } catch (error) {
    return failureOf(error instanceof Error ? error : new Error(String(error)));
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

/** @throws {Error} when the session is closed */
function exchange(session: ClientHttp2Session, { headers, body, trailers }: Http2Request): Promise<ProbeResponse> {
  const stream = session.request(headers, { endStream: false, waitForTrailers: trailers !== undefined });
  const response = readResponse(stream);
  if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
  return response;
}

function readResponse(stream: ClientHttp2Stream): Promise<ProbeResponse> {
  const { promise, resolve } = Promise.withResolvers<ProbeResponse>();
  let head: readonly [status: number, names: readonly string[]] | undefined;
  let body = '';
  const end = (failure: Failure) => resolve(head ? parseResponse(...head, body) : failure);
  stream.once('response', (headers) => {
    head = [Number(headers[':status']), Object.keys(headers).filter((name) => !name.startsWith(':'))];
  });
  stream.on('data', (chunk: Buffer) => {
    if (body.length < MAX_BODY_BYTES) body += chunk.toString('latin1');
  });
  stream.once('error', (error) => end(failureOf(error)));
  stream.once('close', () => end({ kind: 'closed', detail: 'reset the stream' }));
  return promise;
}

const MAX_BODY_BYTES = 64 * 1024;
