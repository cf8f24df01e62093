import { join } from 'node:path';
import { inject } from 'vitest';
import { type RunningProgram, startProgram } from './child-process.ts';
import { eventually } from './eventually.ts';
import { jsonLines, type LogLine } from './json-lines.ts';
import { repositoryRoot } from './repository-root.ts';
import { type RunOptions, runProgram } from './run-program.ts';

export type { LogLine } from './json-lines.ts';

export interface RunningCountersign {
  /** The logged listen address: `http://127.0.0.1:PORT` or `unix:/path`. */
  readonly url: string;
  readonly pid: number;
  /** The log line of event `listening`. */
  readonly listening: LogLine;
  /** The log lines so far. */
  readonly lines: readonly LogLine[];
  readonly stderr: () => string;
  /** Waits for the first log line, past or future, that satisfies the predicate. Default: at most 5,000 ms. */
  readonly waitForEvent: (predicate: (line: LogLine) => boolean, milliseconds?: number) => Promise<LogLine>;
  /** The log lines of decisions of the public listener so far. */
  readonly auditEvents: () => readonly LogLine[];
  /** Sends a GET request to the operations listener. */
  readonly fetchOperations: (path: string) => Promise<{ readonly status: number; readonly body: string }>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<number>;
  /** Sends SIGTERM; resolves to the exit code. */
  readonly stop: () => Promise<number>;
}

export interface StartOptions {
  /** The whole environment, except PATH and HOME. */
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

/** Lets processes reuse what an earlier one has compiled. */
export const sharedCompileCache = () => ({ NODE_COMPILE_CACHE: join(inject('temporaryRoot'), 'compiled') });
/**
 * Tests run many servers at once, so none can use the default operations port. On a busy machine, each of them may have to
 * wait longer than the default queue delay, which has its own tests.
 */
export const testEnvironment = () => ({
  COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0',
  COUNTERSIGN_MAX_QUEUE_DELAY: '30s',
  ...sharedCompileCache(),
});
/** The command line that runs the built Countersign with these arguments. */
export const countersignCommand = (args: readonly string[]) => [process.execPath, inject('countersign'), ...args];

const START_TIMEOUT = 15_000;
const EVENT_TIMEOUT = 5_000;

/** Their events. */
const decisions: ReadonlySet<string> = new Set([
  'token_issued',
  'token_rejected',
  'token_introspected',
  'introspection_rejected',
  'token_revoked',
  'revocation_ignored',
  'revocation_rejected',
]);

/**
 * Starts Countersign as a process, and waits until it listens.
 *
 * @throws {Error} with its output, if it exits before that
 */
export async function startCountersign(options: StartOptions = {}): Promise<RunningCountersign> {
  const { env = {}, args = ['serve'], cwd = repositoryRoot } = options;
  const { lines, add } = jsonLines();
  const [node = '', ...command] = countersignCommand(args);
  const program = startProgram(node, command, {
    env: { ...testEnvironment(), ...env },
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
    auditEvents: () => lines.filter(({ event }) => decisions.has(String(event))),
    fetchOperations: (path) => fetchOperations(lines, path),
    kill: program.kill,
    exited: program.exited,
    stop: program.stop,
  };
}

/**
 * Starts a command that the test interacts with while it runs.
 *
 * @param before a command that runs it, such as that of `onTerminal`
 */
export function spawnCountersign(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  before: readonly string[] = [],
): RunningProgram {
  const [program = '', ...rest] = [...before, ...countersignCommand(args)];
  return startProgram(program, rest, { env: { ...testEnvironment(), ...env } });
}

/** Runs a command to its end. A non-zero exit code is a result. Its standard error is without {@link waitingLine}. */
export async function runCountersign(args: readonly string[], options: RunOptions = {}): Promise<FinishedCommand> {
  const env = { ...testEnvironment(), ...options.env };
  const [node = '', ...command] = countersignCommand(args);
  const finished = await runProgram(node, command, { cwd: repositoryRoot, ...options, env });
  return { ...finished, stdout: finished.stdout.toString(), stderr: finished.stderr.replace(waitingLine, '') };
}

/** What a command prints when it has no connection to Redis after a second, as on a machine that is busy or was suspended. */
export const waitingLine = /^countersign: waiting for Redis at [^\n]*\n/gm;

async function waitUntilListening(program: RunningProgram, lines: readonly LogLine[]): Promise<LogLine> {
  const isListening = ({ event }: LogLine) => event === 'listening';
  const report = () => `countersign is not listening:\n${program.stderr()}${program.stdout()}`;
  try {
    await eventually(() => program.hasExited() || lines.some(isListening), report, START_TIMEOUT);
  } catch (error) {
    await program.stop();
    throw error;
  }
  if (program.hasExited()) throw new Error(`exit code ${await program.exited}; ${report()}`);
  return firstLine(lines, isListening);
}

async function fetchOperations(lines: readonly LogLine[], path: string) {
  const { url } = firstLine(lines, ({ event }) => event === 'operations_listening');
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: await response.text() };
}

async function waitForLine(
  lines: readonly LogLine[],
  predicate: (line: LogLine) => boolean,
  milliseconds: number,
): Promise<LogLine> {
  const report = () => `no such event among:\n${lines.map((line) => JSON.stringify(line)).join('\n')}`;
  await eventually(() => lines.some(predicate), report, milliseconds);
  return firstLine(lines, predicate);
}

function firstLine(lines: readonly LogLine[], predicate: (line: LogLine) => boolean): LogLine {
  const line = lines.find(predicate);
  if (!line) throw new Error('no such line');
  return line;
}
