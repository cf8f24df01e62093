import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range of ephemeral ports: a connection of another test could take one of those before the port is used.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000];
const used = new Set<number>();

/** A random loopback port that is free, and that was not returned before in this process. */
export async function freePort(): Promise<number> {
  const port = randomInt(LOWEST, HIGHEST);
  if (used.has(port) || !(await isFree(port))) return freePort();
  used.add(port);
  return port;
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
