import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpResponse } from './http-response.ts';

/** An application that answers with the fields of the request as they came, for tests of what a terminator sends. */
export interface HeaderEcho {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** What reached it so far: names and values in turn, repeated ones apart; trailers are not among them. */
  readonly requests: readonly (readonly string[])[];
  readonly stop: () => Promise<void>;
}

export async function startHeaderEcho(): Promise<HeaderEcho> {
  const requests: string[][] = [];
  const server = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
    requests.push(request.rawHeaders);
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(request.rawHeaders));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Safe: it listens on TCP.
  return { url: `http://127.0.0.1:${port}`, port, requests, stop: () => stop(server) };
}

/** The values of a field in an answer of the echo, in order. */
export function echoedValues(response: HttpResponse, name: string): string[] {
  const headers: string[] = JSON.parse(response.body.toString());
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name.toLowerCase());
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => void server.close(() => resolve()));
}
