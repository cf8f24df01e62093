import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range of ephemeral ports: a connection of another test could take one of those before the port is used.
 */
const LOWEST = 15_000;
/** The test processes of a run have different ranges, so that none takes a port that another one is about to use. */
const PORTS_OF_PROCESS = 1_000;
const PROCESSES = 17;
const first = LOWEST + PORTS_OF_PROCESS * (Number(process.env.VITEST_POOL_ID ?? 0) % PROCESSES);
const used = new Set<number>();

/** A random loopback port that is free, and that was not returned lately in this process, nor in another one of this run. */
export async function freePort(): Promise<number> {
  if (used.size > PORTS_OF_PROCESS / 2) used.clear();
  const port = randomInt(first, first + PORTS_OF_PROCESS);
  if (used.has(port)) return freePort();
  // Before it is tested: a test may call this several times at once.
  used.add(port);
  return (await isFree(port)) ? port : freePort();
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}
