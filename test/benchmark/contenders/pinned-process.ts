import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { bareEnvironment } from '../../support/child-process.ts';
import { pinned } from '../machine.ts';
import { endWithThisRun } from '../processes.ts';

/** Where the standard output of a contender goes: the audit log of `serve`. */
export type Output = { readonly kind: 'pipe' } | { readonly kind: 'file'; readonly path: string };

export interface PinnedProcessOptions {
  readonly core: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default: a pipe that this process reads. */
  readonly output?: Output;
}

export interface PinnedProcess {
  readonly pid: number;
  /** The end of its output, for error messages. */
  readonly lastOutput: () => string;
  /** How many lines it has written to standard output. 0 if that is a file. */
  readonly lines: () => number;
  readonly hasExited: () => boolean;
  readonly stop: () => Promise<void>;
}

const KEPT_CHARACTERS = 4_000;
const GRACE_MILLISECONDS = 10_000;

/** Starts a program on one core, with nothing of this environment but PATH and HOME. */
export function startPinned(program: string, args: readonly string[], options: PinnedProcessOptions): PinnedProcess {
  const { core, env, cwd, output = { kind: 'pipe' } } = options;
  const stdout = output.kind === 'file' ? openSync(output.path, 'w') : 'pipe';
  const [command, commandArgs] = pinned(core, program, args);
  const child = spawn(command, commandArgs, {
    stdio: ['ignore', stdout, 'pipe'],
    env: bareEnvironment(env),
    detached: true,
    ...(cwd !== undefined && { cwd }),
  });
  if (typeof stdout === 'number') closeSync(stdout);
  let hasExited = false;
  const exited = endWithThisRun(child).finally(() => {
    hasExited = true;
  });

  let [last, lines] = ['', 0];
  child.stdout?.on('data', (chunk: Buffer) => {
    lines += lineFeedsIn(chunk);
    last = chunk.subarray(-KEPT_CHARACTERS).toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    last = (last + chunk.toString()).slice(-KEPT_CHARACTERS);
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MILLISECONDS);
    await exited.finally(() => clearTimeout(timer));
  };
  return {
    pid: child.pid ?? 0,
    lastOutput: () => last,
    lines: () => lines,
    hasExited: () => hasExited,
    stop,
  };
}

/** This process reads every audit line of a contender, so it counts them without converting them to text. */
function lineFeedsIn(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) count += 1;
  return count;
}
