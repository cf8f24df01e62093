import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { OperatorError } from '../errors/operator-error.ts';

/**
 * What is at the path of a Unix socket: nothing, a socket that a process accepts connections on, or one that a killed process
 * left behind.
 *
 * @throws {OperatorError} when the file is not a socket
 * @throws {Error} of the system, when the path cannot be read
 */
export async function socketState(path: string): Promise<'absent' | 'in use' | 'stale'> {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (!file) return 'absent';
  if (!file.isSocket()) throw new OperatorError([`cannot listen on ${path}: the file exists and is not a socket`]);
  const isInUse = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true));
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
    probe.once('connect', () => probe.destroy());
  });
  return isInUse ? 'in use' : 'stale';
}
