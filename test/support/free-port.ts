import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take the ports of outgoing connections and of listeners that name none: from
 * there, another test's connection could take the port in the moment before it is used.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000];
const handedOut = new Set<number>();

/** A loopback port that was free a moment ago, picked at random, and never the same twice in one process. */
export async function freePort(): Promise<number> {
  const port = randomInt(LOWEST, HIGHEST);
  if (handedOut.has(port) || !(await isFree(port))) return freePort();
  handedOut.add(port);
  return port;
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
