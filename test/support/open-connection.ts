import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { serverCa } from './https-server.ts';

/** A connection that stays open until one side closes it. */
export interface Open<Kind extends Socket> {
  readonly socket: Kind;
  readonly received: () => string;
  readonly closed: () => boolean;
}

/** Observes an existing socket. */
export function opened<Kind extends Socket>(socket: Kind): Open<Kind> {
  let received = '';
  let closed = false;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    closed = true;
  });
  return { socket, received: () => received, closed: () => closed };
}

export async function openPlain(url: string): Promise<Open<Socket>> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  return opened(socket);
}

/** Resolves after the handshake, and rejects if it fails. The server certificate is verified. */
export async function openTls(url: string, options: ConnectionOptions = {}): Promise<Open<TLSSocket>> {
  const address = { host: '127.0.0.1', port: Number(new URL(url).port), servername: 'localhost', ca: serverCa };
  const socket = connectTls({ ...address, ...options });
  const open = opened(socket);
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return open;
}
