import { connect, type OutgoingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { isAnswered, type ProbeResponse } from '../trial.ts';
import { type Failure, failureOf, PATIENCE_MS, silence } from './connection.ts';

export interface Http2Request {
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
  readonly trailers: OutgoingHttpHeaders | undefined;
}

/** Sends requests one after another over one connection, and resolves to what came back for the last one. */
export async function sendOverHttp2(socket: TLSSocket, requests: readonly Http2Request[]): Promise<ProbeResponse> {
  if (socket.alpnProtocol !== 'h2') return { kind: 'closed', detail: 'HTTP/2 is not offered' };
  const ended = Promise.withResolvers<Failure>();
  const session = connect('https://proxy.invalid', { createConnection: () => socket });
  session.on('error', (error) => ended.resolve(failureOf(error)));
  session.once('close', () => ended.resolve({ kind: 'closed', detail: 'closed the connection' }));
  const timer = setTimeout(() => ended.resolve(silence), PATIENCE_MS);
  let answer: ProbeResponse = { kind: 'closed', detail: 'nothing was sent' };
  try {
    for (const { headers, body, trailers } of requests) {
      const stream = session.request(headers, { endStream: false, waitForTrailers: trailers !== undefined });
      const exchange = readAnswer(stream);
      if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end(body);
      answer = await Promise.race([exchange, ended.promise]);
      if (answer.kind !== 'answered') break;
    }
    return answer;
  } catch (error) {
    return failureOf(error instanceof Error ? error : new Error(String(error)));
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

type Stream = ReturnType<ReturnType<typeof connect>['request']>;

function readAnswer(stream: Stream): Promise<ProbeResponse> {
  const { promise, resolve } = Promise.withResolvers<ProbeResponse>();
  let head: readonly [status: number, names: readonly string[]] | undefined;
  let body = '';
  const end = (failure: Failure) => resolve(head ? isAnswered(...head, body) : failure);
  stream.once('response', (headers) => {
    head = [Number(headers[':status']), Object.keys(headers).filter((name) => !name.startsWith(':'))];
  });
  stream.on('data', (chunk: Buffer) => {
    if (body.length < MAX_BODY) body += chunk.toString('latin1');
  });
  stream.once('error', (error) => end(failureOf(error)));
  stream.once('close', () => end({ kind: 'closed', detail: 'reset the stream' }));
  return promise;
}

const MAX_BODY = 64 * 1024;
