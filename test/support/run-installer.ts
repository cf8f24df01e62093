import { execFileSync } from 'node:child_process';

const INSTALL_TIMEOUT = 600_000;

/**
 * Runs a package manager to its end, with the environment of this process plus `env`. Once more if it fails: a registry may
 * be unreachable for a moment.
 *
 * @returns its standard output
 * @throws {Error} with the last line of its standard error, when it has failed twice
 */
export function runInstaller(command: string, args: readonly string[], env: Record<string, string> = {}): string {
  const environment = { ...process.env, ...env };
  const run = () =>
    execFileSync(command, args, { stdio: 'pipe', timeout: INSTALL_TIMEOUT, env: environment, encoding: 'utf8' });
  try {
    return run();
  } catch {
    try {
      return run();
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error(String(error));
      throw new Error(message.trim().split('\n').at(-1), { cause: error });
    }
  }
}
