import { type ChildProcess, spawn } from 'node:child_process';

/** A program that runs until it is stopped. */
export interface RunningProgram {
  readonly pid: number;
  /** The output so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The exit code; after a signal, 128 plus its number, as in a shell. */
  readonly exited: Promise<number>;
  readonly hasExited: () => boolean;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Sends SIGTERM, and SIGKILL after a grace period. Resolves to the exit code, also if the program has already exited. */
  readonly stop: (graceMilliseconds?: number) => Promise<number>;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly onStdout?: (text: string) => void;
}

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
const running = new Set<ChildProcess>();

/** Starts a program with exactly this environment, plus PATH and HOME. */
export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): RunningProgram {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: bareEnvironment(options.env),
    ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  const stderr = collect(child.stderr);
  const stdout = collect(child.stdout, options.onStdout);
  const exited = exitCodeOf(child);
  stopWithThisProcess();
  const hasExited = () => !running.has(child);
  const kill = (signal: NodeJS.Signals) => void child.kill(signal);
  const stop = async (grace = 60_000) => {
    kill('SIGTERM');
    const timer = setTimeout(() => kill('SIGKILL'), grace);
    return exited.finally(() => clearTimeout(timer));
  };
  return { pid: child.pid ?? 0, stdout, stderr, exited, hasExited, kill, stop };
}

/** This environment plus PATH and HOME of the test process: no other setting of the developer reaches the program. */
export function bareEnvironment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '/usr/bin:/bin', HOME = '/' } = process.env;
  return { PATH, HOME, ...env };
}

function collect(stream: NodeJS.ReadableStream, onText?: (text: string) => void): () => string {
  let collected = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    collected += text;
    onText?.(text);
  });
  return () => collected;
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  running.add(child);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve(code ?? 128 + (signalNumbers[signal ?? ''] ?? 0)));
  const ended = promise.finally(() => running.delete(child));
  ended.catch(() => {});
  return ended;
}

/**
 * Stops the programs of tests that fail before they stop them. Vitest ends its workers with SIGTERM, which runs no exit
 * handlers; its main process turns signals into an exit itself.
 */
function stopWithThisProcess(): void {
  if (process.listeners('exit').includes(stopAll)) return;
  process.once('exit', stopAll);
  if (!process.connected) return;
  process.prependOnceListener('disconnect', stopAll);
  process.once('SIGTERM', () => {
    stopAll();
    process.kill(process.pid, 'SIGTERM');
  });
}

/** SIGTERM, not SIGKILL, so that the nginx master stops its workers. SIGCONT is for programs that a test has suspended. */
function stopAll(): void {
  for (const child of running) {
    child.kill('SIGTERM');
    child.kill('SIGCONT');
  }
}
