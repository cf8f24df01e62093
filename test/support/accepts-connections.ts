import { connect, type NetConnectOpts } from 'node:net';

/** Whether a listener accepts connections at this address. */
export function acceptsConnections(address: NetConnectOpts): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(address);
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
