import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RotationPolicy } from '../../src/tokens/keyring/key-policy.ts';
import { startProgram } from '../support/child-process.ts';
import { sharedCompileCache } from '../support/countersign.ts';
import { eventually } from '../support/eventually.ts';
import { jsonLines, type LogLine } from '../support/json-lines.ts';
import { repositoryRoot } from '../support/repository-root.ts';

/** A server as a process, with shortened times. */
export interface Replica {
  readonly pid: number;
  /** The log so far, without the audit events of issued tokens. */
  readonly log: () => readonly LogLine[];
  /** The whole output so far. */
  readonly output: () => string;
  /** The status and the body of the response of the operations listener. */
  readonly fetchOperations: (path: string) => Promise<{ readonly status: number; readonly body: string }>;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly hasExited: () => boolean;
  readonly exited: Promise<number>;
  readonly stop: () => Promise<number>;
}

export interface ReplicaOptions {
  /** For its log. */
  readonly directory: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly policy: RotationPolicy;
  /** Milliseconds by which its clock is ahead. */
  readonly clockOffset?: number;
}

const entry = join(repositoryRoot, 'test/rotation/shortened-server.ts');
let started = 0;

/**
 * Starts a server, and waits until it listens. Its log goes to a file: a pipe of 100,000 audit events would cost this
 * process more than verifying the tokens.
 *
 * @throws {Error} with its output, if it exits before that
 */
export async function startReplica({
  directory,
  name,
  env,
  policy,
  clockOffset = 0,
}: ReplicaOptions): Promise<Replica> {
  started += 1;
  const file = join(directory, `${name}-${started}.log`);
  writeFileSync(file, '');
  const output = () => readFileSync(file, 'utf8');
  const program = startProgram('sh', ['-c', 'exec "$0" "$1" >"$2" 2>&1', process.execPath, entry, file], {
    env: {
      ...sharedCompileCache(),
      COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_MAX_QUEUE_DELAY: '30s',
      ...env,
      SHORTENED_KEY_POLICY: JSON.stringify(policy),
      SHORTENED_CLOCK_OFFSET: String(clockOffset),
    },
    cwd: repositoryRoot,
  });
  const log = () => linesOf(output());
  const isListening = () => log().some(({ event }) => event === 'listening');
  await eventually(
    () => program.hasExited() || isListening(),
    () => `${name} does not listen:\n${output()}`,
    15_000,
  );
  if (program.hasExited()) throw new Error(`exit code ${await program.exited}:\n${output()}`);
  const operations = String(log().find(({ event }) => event === 'operations_listening')?.url);
  const fetchOperations = async (path: string) => {
    const response = await fetch(`${operations}${path}`);
    return { status: response.status, body: await response.text() };
  };
  return { ...program, log, output, fetchOperations };
}

function linesOf(output: string): readonly LogLine[] {
  const { lines, add } = jsonLines();
  const isOfToken = (line: string) => line.includes('"event":"token_issued"');
  for (const line of output.split('\n')) if (!isOfToken(line)) add(`${line}\n`);
  return lines;
}
