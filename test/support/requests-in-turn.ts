import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { openTls } from './open-connection.ts';

const TIMEOUT = 60_000;

/** Octets that came back on one connection, and how many answers they are. */
export interface Answers {
  readonly text: string;
  readonly count: number;
}

/**
 * Sends requests over one HTTP/1.1 connection, each when the one before it is answered, until the other side closes it.
 * @throws {Error} when the handshake fails, or an answer takes too long
 */
export async function sendInTurn(
  url: string,
  requests: readonly Uint8Array[],
  tls: ConnectionOptions,
): Promise<Answers> {
  const { socket, received, closed } = await openTls(url, tls);
  const count = () => received().match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
  try {
    for (const [index, request] of requests.entries()) {
      // Envoy leaves a connection that it will not read any more open for a second.
      if (closed() || /^connection: *close/im.test(received())) break;
      socket.write(request);
      await answered(socket, () => closed() || count() > index, received);
    }
    return { text: received(), count: count() };
  } finally {
    socket.destroy();
  }
}

/** Looks whenever something came, not every so often: there are thousands of such requests. */
async function answered(socket: TLSSocket, condition: () => boolean, explain: () => string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => condition() && resolve();
  const timer = setTimeout(() => reject(new Error(explain())), TIMEOUT);
  socket.on('data', look).once('close', look);
  look();
  await promise.finally(() => {
    clearTimeout(timer);
    socket.off('data', look).off('close', look);
  });
}
