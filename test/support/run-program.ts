import { spawn } from 'node:child_process';
import { bareEnvironment } from './child-process.ts';

export interface RunOptions {
  /** The whole environment, except PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The standard input of the program. */
  readonly input?: string | Uint8Array;
  /** Milliseconds. Default: 100,000. */
  readonly timeout?: number;
}

export interface FinishedProgram {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end. A non-zero exit code is a result; a signal or a timeout throws. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<FinishedProgram> {
  const { env, cwd = process.cwd(), input = '', timeout = 100_000 } = options;
  const child = spawn(command, args, { cwd, env: bareEnvironment(env), timeout, killSignal: 'SIGKILL' });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {}); // A program may exit without reading its input.
  child.stdin.end(input);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject).once('close', resolve);
  const code = await promise;
  const errors = Buffer.concat(stderr).toString();
  if (code === null)
    throw new Error(`${command} ${args.join(' ')}: ended by a signal (timeout ${timeout} ms)\n${errors}`);
  return { code, stdout: Buffer.concat(stdout), stderr: errors };
}
