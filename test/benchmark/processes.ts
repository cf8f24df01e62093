import { type ChildProcess, spawn } from 'node:child_process';

const running = new Set<ChildProcess>();

/** Makes a process end with this run, however that ends. Resolves when the process has ended. */
export function endWithThisRun(child: ChildProcess): Promise<void> {
  running.add(child);
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('error', () => resolve()).once('close', () => resolve());
  return promise.finally(() => running.delete(child));
}

/** Ends what still runs, for a run that fails or is interrupted. */
export function killAllProcesses(): void {
  for (const { pid } of running) if (pid !== undefined) killGroup(pid);
}

/**
 * Runs git or npm to its end, in this environment: it may have a proxy or a registry configured.
 *
 * @returns standard output
 * @throws {Error} with all output, if the exit code is not 0
 */
export async function runTool(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  await endWithThisRun(child);
  if (child.exitCode === 0) return output.stdout;
  throw new Error(`${[command, ...args].join(' ')} failed in ${cwd}:\n${output.stdout}${output.stderr}`.trimEnd());
}

/** Every process is the leader of a group, so that what npm has started ends with it, and Ctrl-C does not reach it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
