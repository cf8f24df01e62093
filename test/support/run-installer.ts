import { execFileSync } from 'node:child_process';

const INSTALL_TIMEOUT = 300_000;

/**
 * Runs a package manager to its end, with the environment of this process plus `env`.
 *
 * @returns its standard output
 * @throws {Error} with the last line of its standard error
 */
export function runInstaller(command: string, args: readonly string[], env: Record<string, string> = {}): string {
  try {
    const environment = { ...process.env, ...env };
    return execFileSync(command, args, { stdio: 'pipe', timeout: INSTALL_TIMEOUT, env: environment, encoding: 'utf8' });
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    throw new Error(message.trim().split('\n').at(-1), { cause: error });
  }
}
