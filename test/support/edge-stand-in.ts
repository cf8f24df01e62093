import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.ts';

/** A server in place of the edge, for responses that Countersign never sends. */
export interface EdgeStandIn {
  /** `unix:/path` */
  readonly url: string;
  /** Responds to the checks that follow. */
  respond: RequestListener;
  readonly stop: () => Promise<void>;
}

export async function startEdgeStandIn(): Promise<EdgeStandIn> {
  const path = join(temporaryDirectory(), 'edge.sock');
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => standIn.respond(request, response));
  const stop = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  const standIn: EdgeStandIn = { url: `unix:${path}`, respond: (_, response) => response.writeHead(403).end(), stop };
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  return standIn;
}
