import { connect as connectTcp, type Socket } from 'node:net';
import { type Failure, failureOf, PATIENCE_MS, silence } from './connection.ts';
import type { Address } from './routes.ts';

export type OpenedPlain = { readonly kind: 'open'; readonly socket: Socket } | Failure;

/** Opens a connection without TLS. */
export function openPlainConnection(address: Address): Promise<OpenedPlain> {
  const { promise, resolve } = Promise.withResolvers<OpenedPlain>();
  const socket = connectTcp({ ...address, timeout: PATIENCE_MS });
  socket.once('connect', () => resolve({ kind: 'open', socket: socket.setTimeout(0) }));
  socket.once('timeout', () => {
    socket.destroy();
    resolve(silence);
  });
  socket.on('error', (error) => resolve(failureOf(error)));
  return promise;
}
