import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A CA's web server on loopback, with content that a test can change. */
export interface CrlServer {
  readonly url: string;
  /** `undefined` makes it respond with status 503. */
  content: Uint8Array | undefined;
  /** The number of requests so far. */
  readonly requests: () => number;
  readonly stop: () => Promise<void>;
}

export async function startCrlServer(content: Uint8Array): Promise<CrlServer> {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    if (running.content) response.end(running.content);
    else response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const running: CrlServer = {
    url: `http://127.0.0.1:${port}/ca.crl`,
    content,
    requests: () => requests,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return running;
}
