import { type ChildProcess, spawn } from 'node:child_process';

/** A program that runs until it is stopped. */
export interface RunningProgram {
  readonly pid: number;
  /** Everything that it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The exit code; 128 + the signal's number where a signal ended it, as a shell tells it. */
  readonly exited: Promise<number>;
  readonly hasExited: () => boolean;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** SIGTERM, then SIGKILL after a grace. Resolves to the exit code, also when it ended before. */
  readonly stop: (graceMilliseconds?: number) => Promise<number>;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly onStdout?: (text: string) => void;
}

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
const running = new Set<ChildProcess>();

/** Starts a program with exactly this environment, and PATH and HOME. */
export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): RunningProgram {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: bareEnvironment(options.env),
    ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  const stderr = collect(child.stderr);
  const stdout = collect(child.stdout, options.onStdout);
  const exited = exitCodeOf(child);
  endWithThisProcess();
  const hasExited = () => !running.has(child);
  const kill = (signal: NodeJS.Signals) => void child.kill(signal);
  const stop = async (grace = 60_000) => {
    kill('SIGTERM');
    const timer = setTimeout(() => kill('SIGKILL'), grace);
    return exited.finally(() => clearTimeout(timer));
  };
  return { pid: child.pid ?? 0, stdout, stderr, exited, hasExited, kill, stop };
}

/** PATH and HOME of ours, so that nothing else that a developer has set reaches the program. */
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
 * The backstop for tests that fail before they stop what they started. vitest ends its workers with SIGTERM, which runs
 * no exit handlers; its main process turns signals into an exit itself.
 */
function endWithThisProcess(): void {
  if (process.listeners('exit').includes(stopAll)) return;
  process.once('exit', stopAll);
  if (!process.connected) return;
  process.prependOnceListener('disconnect', stopAll);
  process.once('SIGTERM', () => {
    stopAll();
    process.kill(process.pid, 'SIGTERM');
  });
}

/** SIGTERM, not SIGKILL: nginx' master takes its workers along only when it is asked. SIGSTOP may hold one. */
function stopAll(): void {
  for (const child of running) {
    child.kill('SIGTERM');
    child.kill('SIGCONT');
  }
}
