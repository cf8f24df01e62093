import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A request as the upstream received it. */
export interface ReceivedRequest {
  readonly method: string;
  /** The request target, as received. */
  readonly target: string;
  /** Alternating names and values in the order received, with repeated headers. */
  readonly headers: readonly string[];
  readonly bodyLength: number;
  /** SHA-256 of the body, in hex. */
  readonly bodySha256: string;
  /** Alternating names and values. */
  readonly trailers: readonly string[];
  /** Numbers the connections in the order in which they were accepted, from 1. */
  readonly connection: number;
}

/**
 * An application behind the edge. It responds with the request that it received, as JSON. To `Upgrade: websocket` it
 * responds 101, and sends back each byte that follows.
 */
export interface DemoUpstream {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** The requests so far, each added when its body has ended. */
  readonly requests: readonly ReceivedRequest[];
  /** The connections accepted so far. */
  readonly connections: () => number;
  readonly stop: () => Promise<void>;
}

export interface DemoUpstreamOptions {
  /** Default: any free one. */
  readonly port?: number;
  readonly onRequest?: (request: ReceivedRequest) => void;
}

export async function startDemoUpstream(options: DemoUpstreamOptions = {}): Promise<DemoUpstream> {
  const requests: ReceivedRequest[] = [];
  const numbers = new Map<Duplex, number>();
  const record = (request: ReceivedRequest) => {
    requests.push(request);
    options.onRequest?.(request);
  };
  const server = createServer({ maxHeaderSize: 256 * 1024 }, async (request, response) => {
    const received = await receive(request, numbers.get(request.socket) ?? 0).catch(() => undefined);
    if (!received) return; // The proxy closed the connection before the end of the body.
    record(received);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(received));
  });
  server.on('connection', (socket: Socket) => numbers.set(socket, numbers.size + 1));
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    record(describe(request, numbers.get(socket) ?? 0, 0, createHash('sha256').digest('hex')));
    acceptWebSocket(request, socket, head);
  });
  await new Promise<void>((resolve) => void server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Safe: the server listens on TCP.
  const stop = () => stopServer(server, numbers.keys());
  return { url: `http://127.0.0.1:${port}`, port, requests, connections: () => numbers.size, stop };
}

/** The values of a header, in the order received; the name in any case. */
export function receivedValues({ headers }: ReceivedRequest, name: string): string[] {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name.toLowerCase());
}

async function receive(request: IncomingMessage, connection: number): Promise<ReceivedRequest> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    length += chunk.length;
  }
  return describe(request, connection, length, hash.digest('hex'));
}

function describe(request: IncomingMessage, connection: number, length: number, sha256: string): ReceivedRequest {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    headers: request.rawHeaders,
    bodyLength: length,
    bodySha256: sha256,
    trailers: request.rawTrailers,
    connection,
  };
}

/** RFC 6455 §4.2.2. The frames are sent back as they are: proxies forward bytes. */
function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.on('error', () => {}); // The proxy may close the connection at any time.
  socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
  socket.write(head);
  socket.pipe(socket);
}

function stopServer(server: Server, sockets: Iterable<Duplex>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => void server.close(() => resolve()));
}

/** `node test/support/demo-upstream.ts [PORT]` prints each request that it receives. */
if (import.meta.main) {
  const onRequest = (request: ReceivedRequest) => console.info(JSON.stringify(request, undefined, 2));
  const { url } = await startDemoUpstream({ port: Number(process.argv[2] ?? 0), onRequest });
  console.info(`listening on ${url}`);
}
