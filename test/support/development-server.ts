import { type RunningProgram, startProgram } from './child-process.ts';
import { countersignCommand, sharedCompileCache } from './countersign.ts';
import { eventually } from './eventually.ts';

export interface DevelopmentServer extends RunningProgram {
  readonly port: number;
  /** The printed curl commands, by client_id. */
  readonly commands: Readonly<Record<string, string>>;
}

/**
 * Starts `countersign dev` in a folder, and waits until it has printed its commands.
 *
 * @throws {Error} with its standard error, if it exits before that
 */
export async function startDevelopmentServer(
  cwd: string,
  port: number,
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<DevelopmentServer> {
  const [node = '', ...args] = countersignCommand(['dev', '--port', String(port), ...more]);
  const program = startProgram(node, args, { cwd, env: { ...sharedCompileCache(), ...env } });
  const greeted = () => program.stdout().includes('Ctrl-C');
  await eventually(() => greeted() || program.hasExited(), program.stdout);
  if (!greeted()) throw new Error(program.stderr());
  const commands = [...program.stdout().matchAll(/^curl .*client_id=(\S+).*$/gm)].map(([line, clientId]) => [
    clientId,
    line,
  ]);
  return { ...program, port, commands: Object.fromEntries(commands) };
}
