import type { Socket } from 'node:net';
import { isAnswered, type ProbeResponse } from '../trial.ts';
import { failureOf, PATIENCE_MS, silence } from './connection.ts';

/** Sends requests one after another over one connection, and resolves to what came back for the last one. */
export async function sendOverHttp1(socket: Socket, requests: readonly Uint8Array[]): Promise<ProbeResponse> {
  let answer: ProbeResponse = { kind: 'closed', detail: 'nothing was sent' };
  for (const request of requests) {
    answer = await exchange(socket, request);
    if (answer.kind !== 'answered') break;
  }
  return answer;
}

/**
 * Writes these octets and reads one response. No HTTP client would write what we write, and all that matters of the
 * response is its status and the error in its body.
 */
function exchange(socket: Socket, request: Uint8Array): Promise<ProbeResponse> {
  const { promise, resolve } = Promise.withResolvers<ProbeResponse>();
  let received = '';
  const onData = (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const answer = readResponse(received, received.length > MAX_RESPONSE);
    if (answer) resolve(answer);
  };
  const onEnd = (error?: Error) => {
    const answer = readResponse(received, true);
    resolve(answer ?? (error ? failureOf(error) : { kind: 'closed', detail: 'closed the connection' }));
  };
  const onClose = () => onEnd();
  socket.on('data', onData).once('error', onEnd).once('close', onClose);
  const timer = setTimeout(() => resolve(silence), PATIENCE_MS);
  if (socket.destroyed) onEnd(socket.errored ?? undefined);
  else socket.write(request);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off('data', onData).off('error', onEnd).off('close', onClose);
  });
}

const MAX_RESPONSE = 256 * 1024;

/** The final response in what came so far, or undefined while it is not complete. */
function readResponse(received: string, noMore: boolean): ProbeResponse | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(received) ?? [];
  if (headEnd < 0 || status === undefined) return undefined;
  const head = received.slice(0, headEnd);
  const body = received.slice(headEnd + 4);
  if (status.startsWith('1')) return readResponse(body, noMore);
  if (!noMore && !isComplete(head, body)) return undefined;
  const names = [...head.matchAll(/\r\n([^\s:]+):/g)].map(([, name = '']) => name.toLowerCase());
  return isAnswered(Number(status), names, body);
}

function isComplete(head: string, body: string): boolean {
  if (/\r\ntransfer-encoding:[^\r]*chunked/i.test(head)) return body.endsWith('0\r\n\r\n');
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  return length !== undefined && body.length >= Number(length);
}
