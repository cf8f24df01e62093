import type { ServerResponse } from 'node:http';
import type { ReceivedRequest } from '../http/received-request.ts';
import { announcesBody } from './check-head.ts';

/** Node's flat list of names and values. Without this field, Node would send an empty body in chunks. */
export const NO_BODY = ['Content-Length', '0'] as const;

/** How long a peer may take to send the body of a check, which is discarded, and to close the connection. */
const LINGER_MILLISECONDS = 1_000;

/**
 * Sends the response to a check: this header and nothing else, since some gateways copy every field into the request.
 *
 * @param headers names and values alternate; includes {@link NO_BODY}
 */
export function respond(
  request: ReceivedRequest,
  response: ServerResponse,
  status: number,
  headers: readonly string[],
): void {
  // A connection of HTTP/1.1 persists by default, and Node would announce that, with its timeout.
  if (response.shouldKeepAlive && request.httpVersion === '1.1') response.removeHeader('connection');
  // Node does not change the list.
  response.writeHead(status, headers as string[]);
  if (announcesBody(request)) endAfterBody(request, response);
  else response.end();
}

/**
 * Sends the complete response at once, and closes the connection when the peer has sent the body or closed its side. A
 * connection that closes before that is reset, and a peer that still sends may then lose the response.
 */
function endAfterBody(request: ReceivedRequest, response: ServerResponse): void {
  response.flushHeaders();
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MILLISECONDS).unref();
  request.once('end', end).once('close', end).resume();
  request.socket.once('end', end);
}
