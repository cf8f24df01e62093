import { createServer } from 'node:net';

const handedOut = new Set<number>();

/** A loopback port that was free a moment ago, never the same twice in one process. */
export async function freePort(): Promise<number> {
  const port = await askKernel();
  if (handedOut.has(port)) return freePort();
  handedOut.add(port);
  return port;
}

function askKernel(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
  });
  return promise;
}
