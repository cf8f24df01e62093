import { acceptsConnections } from './accepts-connections.ts';
import { type ProgramOptions, startProgram } from './child-process.ts';
import { eventually } from './eventually.ts';
import type { RunningTerminator } from './shipped-terminator.ts';

export interface ListenerOptions extends ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Loopback ports that all accept connections once the program is ready. */
  readonly ports: readonly number[];
}

/**
 * Starts a program in the foreground, and waits until it listens.
 *
 * @throws {Error} with its standard error, if it exits before that or takes too long
 */
export async function startListener(options: ListenerOptions): Promise<RunningTerminator> {
  const { command, args, ports, ...programOptions } = options;
  const program = startProgram(command, args, programOptions);
  const report = () => `${command} does not accept connections:\n${program.stderr()}`;
  const allAccept = async () =>
    (await Promise.all(ports.map((port) => acceptsConnections({ host: '127.0.0.1', port })))).every(Boolean);
  try {
    await eventually(async () => program.hasExited() || (await allAccept()), report);
  } catch (error) {
    await program.stop();
    throw error;
  }
  if (program.hasExited()) throw new Error(`exit code ${await program.exited}; ${report()}`);
  return { pid: program.pid, errors: program.stderr, stop: () => program.stop() };
}
