import type { NetConnectOpts } from 'node:net';
import { requireToken } from './require-token.ts';
import { TokenConnection } from './token-connection.ts';

export interface ClosedLoop {
  readonly address: NetConnectOpts;
  readonly connections: number;
  /** How many requests all connections send together. */
  readonly requests: number;
  readonly nextRequest: () => Uint8Array;
}

export interface LoadResult {
  readonly seconds: number;
  /** Milliseconds, in the order of the responses. */
  readonly latencies: Float64Array;
}

/**
 * Each connection sends its next request as soon as it has the response to the last one: the server is saturated.
 *
 * @throws {Error} if a response is anything but 200 with a token
 */
export async function runClosedLoop({ address, connections, requests, nextRequest }: ClosedLoop): Promise<LoadResult> {
  const latencies = new Float64Array(requests);
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  let [sent, received] = [0, 0];

  const sendOn = (connection: TokenConnection) => {
    if (sent === requests) return;
    sent += 1;
    const start = performance.now();
    connection.send(nextRequest(), (response) => {
      latencies[received] = performance.now() - start;
      received += 1;
      try {
        requireToken(response);
        if (received === requests) resolve();
        else sendOn(connection);
      } catch (error) {
        reject(error);
      }
    });
  };

  const start = performance.now();
  const open = Array.from({ length: Math.min(connections, requests) }, () => TokenConnection.to(address, reject));
  try {
    open.forEach(sendOn);
    await finished;
    return { seconds: (performance.now() - start) / 1000, latencies };
  } finally {
    for (const connection of open) connection.close();
  }
}
