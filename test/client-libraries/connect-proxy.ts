import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ConnectProxy {
  readonly url: string;
  readonly stop: () => void;
}

/**
 * An HTTP proxy (RFC 9110 §9.3.6) that connects to loopback whatever the host name is. So every library resolves the
 * host names of the shipped configuration, and its TLS connection still ends at the terminator.
 */
export async function startConnectProxy(): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', ({ url = '' }, client, head) => {
    const upstream = connect({ host: '127.0.0.1', port: Number(url.slice(url.lastIndexOf(':') + 1)) });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket as Socket);
      socket.once('error', () => other.destroy());
      socket.once('close', () => sockets.delete(socket as Socket));
    }
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
