import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { RunningProgram } from './child-process.ts';
import { spawnCountersign } from './countersign.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A command whose standard input the test writes while it runs. */
export interface PipedCountersign extends RunningProgram {
  readonly write: (content: string) => void;
  /** Writes and closes standard input. */
  readonly feed: (content: string) => void;
}

/** Starts a command that reads standard input. */
export async function spawnPiped(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<PipedCountersign> {
  const pipe = join(temporaryDirectory(), 'input');
  execFileSync('mkfifo', [pipe]);
  const program = spawnCountersign(args, env, ['sh', '-c', 'exec "$@" <"$0"', pipe]);
  const input = createWriteStream(pipe);
  await once(input, 'open');
  return { ...program, write: (content) => void input.write(content), feed: (content) => void input.end(content) };
}
