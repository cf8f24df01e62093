import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What tests need beyond npm, by the name of the program, and the package that holds it on Debian and in Homebrew. */
const packages = {
  nginx: { apt: 'nginx', brew: 'nginx' },
  'redis-server': { apt: 'redis-server', brew: 'redis' },
  openssl: { apt: 'openssl', brew: 'openssl' },
  curl: { apt: 'curl', brew: 'curl' },
} as const;

export type ProgramName = keyof typeof packages;

/** Safe: the table above is closed, so its keys are the names. */
export const programNames = Object.keys(packages) as ProgramName[];

/** An administrator's programs are off the path of ordinary users on Debian. */
const placesOffThePath = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Where the program is on this machine, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...placesOffThePath];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

export function debianPackage(name: ProgramName): string {
  return packages[name].apt;
}

/** One line: what is missing, and the command that installs it. */
export function missingProgram(name: ProgramName): string {
  const { apt, brew } = packages[name];
  const command = process.platform === 'darwin' ? `brew install ${brew}` : `sudo apt-get install ${apt}`;
  return `${name} is missing; install it with: ${command}`;
}

/** In CI nothing is skipped. */
export function isContinuousIntegration(): boolean {
  return process.env.CI === 'true' || process.env.CI === '1';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
