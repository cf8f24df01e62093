import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { OperatorError } from '../errors/operator-error.ts';
import type { ListenAddress } from './listen-address.ts';
import { explainListenError } from './listen-error.ts';
import { socketState } from './socket-file.ts';

/**
 * Whether an address could be bound now. A port is bound for a moment, since only the system knows whether it can
 * be. A socket file is not created: a terminator would connect to it.
 *
 * @returns `in use` if a process listens there, which may be the running server
 * @throws {OperatorError} when the address cannot be bound whether or not it is in use
 */
export async function checkListenAddress(address: ListenAddress): Promise<'free' | 'in use'> {
  try {
    return address.kind === 'unix' ? await checkSocket(address.path) : await checkPort(address);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    // Node's functions for files and sockets throw errors of the system, which have a code.
    throw new OperatorError([explainListenError(error as NodeJS.ErrnoException, address)]);
  }
}

async function checkPort({ host, port }: { readonly host: string; readonly port: number }): Promise<'free' | 'in use'> {
  const server = createServer((socket) => socket.destroy());
  try {
    await once(server.listen({ host, port }), 'listening');
    return 'free';
  } catch (error) {
    // As above.
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return 'in use';
    throw error;
  } finally {
    server.close();
  }
}

/** The longest path of a socket in Linux, in bytes. */
const MAX_PATH_BYTES = 107;

async function checkSocket(path: string): Promise<'free' | 'in use'> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw Object.assign(new Error('path too long'), { code: 'EINVAL' });
  if ((await socketState(path)) === 'in use') return 'in use';
  accessSync(dirname(path), constants.W_OK | constants.X_OK);
  return 'free';
}
