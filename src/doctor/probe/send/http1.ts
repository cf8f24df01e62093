import type { Socket } from 'node:net';
import { type ProbeResponse, parseResponse } from '../trial.ts';
import { failureOf, TIMEOUT_MS, timedOut } from './connection.ts';

/** Sends requests in order over one connection, and resolves to the response to the last one. */
export async function sendOverHttp1(socket: Socket, requests: readonly Uint8Array[]): Promise<ProbeResponse> {
  let response: ProbeResponse = { kind: 'closed', detail: 'nothing was sent' };
  for (const request of requests) {
    response = await exchange(socket, request);
    if (response.kind !== 'answered') break;
  }
  return response;
}

/**
 * Writes the bytes of one request and reads one response. HTTP clients refuse to write such requests; of the response,
 * only the status, the field names and the error of the body are needed.
 */
function exchange(socket: Socket, request: Uint8Array): Promise<ProbeResponse> {
  const { promise, resolve } = Promise.withResolvers<ProbeResponse>();
  let received = '';
  const onData = (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const response = readResponse(received, received.length > MAX_RESPONSE_BYTES);
    if (response) resolve(response);
  };
  const onEnd = (error?: Error) => {
    const response = readResponse(received, true);
    resolve(response ?? (error ? failureOf(error) : { kind: 'closed', detail: 'closed the connection' }));
  };
  const onClose = () => onEnd();
  socket.on('data', onData).once('error', onEnd).once('close', onClose);
  const timer = setTimeout(() => resolve(timedOut), TIMEOUT_MS);
  if (socket.destroyed) onEnd(socket.errored ?? undefined);
  else socket.write(request);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off('data', onData).off('error', onEnd).off('close', onClose);
  });
}

const MAX_RESPONSE_BYTES = 256 * 1024;

/** Parses the final response; undefined while it is incomplete and more may arrive. */
function readResponse(received: string, isEnd: boolean): ProbeResponse | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(received) ?? [];
  if (headEnd < 0 || status === undefined) return undefined;
  const head = received.slice(0, headEnd);
  const body = received.slice(headEnd + 4);
  if (status.startsWith('1')) return readResponse(body, isEnd);
  if (!isEnd && !BODILESS.has(status) && !isComplete(head, body)) return undefined;
  const names = [...head.matchAll(/\r\n([^\s:]+):/g)].map(([, name = '']) => name.toLowerCase());
  return parseResponse(Number(status), names, body);
}

/** RFC 9112 §6.3. */
const BODILESS: ReadonlySet<string> = new Set(['204', '304']);

function isComplete(head: string, body: string): boolean {
  if (/\r\ntransfer-encoding:[^\r]*chunked/i.test(head)) return body.endsWith('0\r\n\r\n');
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  return length !== undefined && body.length >= Number(length);
}
