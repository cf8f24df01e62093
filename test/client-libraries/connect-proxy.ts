import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ConnectProxy {
  readonly url: string;
  readonly stop: () => void;
}

/**
 * An HTTP proxy (RFC 9110 §9.3.6) that connects to loopback whatever the host name is. So every library resolves the
 * host names of the shipped configuration, and its TLS connection still ends at the terminator.
 */
export async function startConnectProxy(): Promise<ConnectProxy> {
  const sockets = new Set<Duplex>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', ({ url = '' }, client, head) => {
    const upstream = connect({ host: '127.0.0.1', port: Number(url.slice(url.lastIndexOf(':') + 1)) });
    link(client, upstream, sockets);
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  // Safe: the server listens on TCP.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** An error of one side closes the other. */
function link(client: Duplex, upstream: Duplex, sockets: Set<Duplex>): void {
  const pairs: readonly (readonly [socket: Duplex, other: Duplex])[] = [
    [client, upstream],
    [upstream, client],
  ];
  for (const [socket, other] of pairs) {
    sockets.add(socket);
    socket.once('error', () => other.destroy());
    socket.once('close', () => sockets.delete(socket));
  }
}
