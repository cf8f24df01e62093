import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpResponse } from './http-response.ts';

/** An application that responds with the request headers it received, for tests of what a terminator forwards. */
export interface HeaderEcho {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** The raw headers of each request: alternating names and values, with repeated headers, without trailers. */
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
  const { port } = server.address() as AddressInfo; // Safe: the server listens on TCP.
  return { url: `http://127.0.0.1:${port}`, port, requests, stop: () => stop(server) };
}

/** The values of a header in a response of the echo, in order. */
export function echoedValues(response: HttpResponse, name: string): string[] {
  const headers: unknown = JSON.parse(response.body);
  if (!Array.isArray(headers)) throw new Error(`the terminator responded itself: ${response.status} ${response.body}`);
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name.toLowerCase());
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => void server.close(() => resolve()));
}
