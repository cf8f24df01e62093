import { join } from 'node:path';
import { inject } from 'vitest';
import { type RunningProgram, startProgram } from './child-process.ts';
import { eventually } from './eventually.ts';
import { jsonLines, type LogLine } from './json-lines.ts';
import { repositoryRoot } from './repository-root.ts';
import { type RunOptions, runProgram } from './run-program.ts';

export type { LogLine } from './json-lines.ts';

export interface RunningCountersign {
  /** Where it listens, as it said itself: `http://127.0.0.1:PORT` or `unix:/path`. */
  readonly url: string;
  readonly pid: number;
  /** The line that said so. */
  readonly listening: LogLine;
  /** The lines of stdout so far. */
  readonly lines: readonly LogLine[];
  readonly stderr: () => string;
  /** The first line, past or to come, for which the predicate holds. Default: within 5,000 ms. */
  readonly waitForEvent: (predicate: (line: LogLine) => boolean, milliseconds?: number) => Promise<LogLine>;
  /** The decisions so far: lines of event `token_issued` or `token_rejected`. */
  readonly auditEvents: () => readonly LogLine[];
  /** Asks the operations listener of `serve`. */
  readonly askOperations: (path: string) => Promise<{ readonly status: number; readonly body: string }>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<number>;
  /** SIGTERM; resolves to the exit code. */
  readonly stop: () => Promise<number>;
}

export interface StartOptions {
  /** Beside PATH and HOME, the whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: `['serve']`. */
  readonly args?: readonly string[];
  /** Default: the root of the repository. */
  readonly cwd?: string;
}

export interface FinishedCommand {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const mainFile = join(repositoryRoot, 'src/main.ts');
/** What one process has compiled serves the next. */
export const compiledByOthers = () => ({ NODE_COMPILE_CACHE: join(inject('temporaryRoot'), 'compiled') });
/** The default port is one, and tests run many servers at once. */
export const besideOthers = () => ({ COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0', ...compiledByOthers() });
/** What runs the product with these arguments. */
export const commandOf = (args: readonly string[]) => [process.execPath, mainFile, ...args];

const START_TIMEOUT = 15_000;
const EVENT_TIMEOUT = 5_000;

/**
 * Starts the real product as a process, and waits until it says that it listens.
 * @throws {Error} with what it wrote, when it ends before that
 */
export async function startCountersign(options: StartOptions = {}): Promise<RunningCountersign> {
  const { env = {}, args = ['serve'], cwd = repositoryRoot } = options;
  const { lines, add } = jsonLines();
  const program = startProgram(process.execPath, [mainFile, ...args], {
    env: { ...besideOthers(), ...env },
    cwd,
    onStdout: add,
  });
  const listening = await waitUntilListening(program, lines);
  return {
    url: String(listening.url ?? listening.unix),
    pid: program.pid,
    listening,
    lines,
    stderr: program.stderr,
    waitForEvent: (predicate, milliseconds = EVENT_TIMEOUT) => waitForLine(lines, predicate, milliseconds),
    auditEvents: () => lines.filter(({ event }) => event === 'token_issued' || event === 'token_rejected'),
    askOperations: (path) => askOperations(lines, path),
    kill: program.kill,
    exited: program.exited,
    stop: program.stop,
  };
}

/**
 * Starts a command, for whoever does something to it before it ends.
 *
 * @param before what runs it, e.g. that which `onTerminal` gives
 */
export function spawnCountersign(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  before: readonly string[] = [],
): RunningProgram {
  const [program = '', ...rest] = [...before, ...commandOf(args)];
  return startProgram(program, rest, { env: { ...besideOthers(), ...env } });
}

/** Runs a command that ends by itself; a non-zero exit code is a result. */
export async function runCountersign(args: readonly string[], options: RunOptions = {}): Promise<FinishedCommand> {
  const env = { ...besideOthers(), ...options.env };
  const finished = await runProgram(process.execPath, [mainFile, ...args], { cwd: repositoryRoot, ...options, env });
  return { ...finished, stdout: finished.stdout.toString() };
}

async function waitUntilListening(program: RunningProgram, lines: readonly LogLine[]): Promise<LogLine> {
  const isListening = ({ event }: LogLine) => event === 'listening';
  const report = () => `countersign does not listen:\n${program.stderr()}${program.stdout()}`;
  try {
    await eventually(() => program.hasExited() || lines.some(isListening), report, START_TIMEOUT);
  } catch (error) {
    await program.stop();
    throw error;
  }
  if (program.hasExited()) throw new Error(`exit code ${await program.exited}; ${report()}`);
  return firstLine(lines, isListening);
}

async function askOperations(lines: readonly LogLine[], path: string) {
  const { url } = firstLine(lines, ({ event }) => event === 'operations_listening');
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: await response.text() };
}

async function waitForLine(
  lines: readonly LogLine[],
  predicate: (line: LogLine) => boolean,
  milliseconds: number,
): Promise<LogLine> {
  const report = () => `no such event. So far:\n${lines.map((line) => JSON.stringify(line)).join('\n')}`;
  await eventually(() => lines.some(predicate), report, milliseconds);
  return firstLine(lines, predicate);
}

function firstLine(lines: readonly LogLine[], predicate: (line: LogLine) => boolean): LogLine {
  const line = lines.find(predicate);
  if (!line) throw new Error('no such line');
  return line;
}
