import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { openTls } from './open-connection.ts';

const TIMEOUT = 60_000;

/** The bytes received on one connection, and the number of responses in them. */
export interface Responses {
  readonly text: string;
  readonly count: number;
}

/**
 * Sends requests over one HTTP/1.1 connection, each after the response to the previous one, until the server closes it.
 *
 * @throws {Error} if the handshake fails, or a response takes too long
 */
export async function sendSequentially(
  url: string,
  requests: readonly Uint8Array[],
  tls: ConnectionOptions,
): Promise<Responses> {
  const { socket, received, closed } = await openTls(url, tls);
  const count = () => received().match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
  try {
    for (const [index, request] of requests.entries()) {
      // Envoy keeps a connection open for a second after it has stopped reading from it.
      if (closed() || /^connection: *close/im.test(received())) break;
      socket.write(request);
      await waitForData(socket, () => closed() || count() > index, received);
    }
    return { text: received(), count: count() };
  } finally {
    socket.destroy();
  }
}

/** Checks the condition whenever data arrives: polling would be slow for thousands of requests. */
async function waitForData(socket: TLSSocket, condition: () => boolean, explain: () => string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = () => condition() && resolve();
  const timer = setTimeout(() => reject(new Error(explain())), TIMEOUT);
  socket.on('data', check).once('close', check);
  check();
  await promise.finally(() => {
    clearTimeout(timer);
    socket.off('data', check).off('close', check);
  });
}
