import type { Socket } from 'node:net';
import { requireToken } from './require-token.ts';
import { type RawResponse, TokenConnection } from './token-connection.ts';

export interface ClosedLoop {
  readonly connect: () => Socket;
  readonly connections: number;
  /** How many requests all connections send together. */
  readonly requests: number;
  readonly nextRequest: () => Uint8Array;
  /** Default: `requests`. A connection is replaced by a new one after its last response. */
  readonly requestsPerConnection?: number;
  /** Throws if the response is not the expected one. Default: `requireToken`. */
  readonly requireResponse?: (response: RawResponse) => void;
}

export interface LoadResult {
  readonly seconds: number;
  /** Milliseconds, in the order of the responses. With a new connection for each request, they include its handshake. */
  readonly latencies: Float64Array;
}

/**
 * Each connection sends its next request as soon as it has the response to the last one: the server is saturated.
 *
 * @throws {Error} if a response is not the expected one
 */
export async function runClosedLoop(load: ClosedLoop): Promise<LoadResult> {
  const { connect, connections, requests, nextRequest, requestsPerConnection = requests } = load;
  const { requireResponse = requireToken } = load;
  const latencies = new Float64Array(requests);
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  const open = new Set<TokenConnection>();
  let [sent, received] = [0, 0];

  const openConnection = () => {
    const start = performance.now();
    const connection = new TokenConnection(connect(), reject);
    open.add(connection);
    sendOn(connection, 0, start);
  };
  const sendOn = (connection: TokenConnection, before: number, start = performance.now()) => {
    if (sent === requests) return;
    sent += 1;
    connection.send(nextRequest(), (response) => {
      latencies[received] = performance.now() - start;
      received += 1;
      if (!isExpected(response)) return;
      if (received === requests) resolve();
      else if (before + 1 < requestsPerConnection && !response.closes) sendOn(connection, before + 1);
      else replace(connection);
    });
  };
  const replace = (connection: TokenConnection) => {
    connection.close();
    open.delete(connection);
    openConnection();
  };
  const isExpected = (response: RawResponse) => {
    try {
      requireResponse(response);
      return true;
    } catch (error) {
      reject(error);
      return false;
    }
  };

  const start = performance.now();
  try {
    for (let index = 0; index < Math.min(connections, requests); index += 1) openConnection();
    await finished;
    return { seconds: (performance.now() - start) / 1000, latencies };
  } finally {
    for (const connection of open) connection.close();
  }
}
