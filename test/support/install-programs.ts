import { execFileSync } from 'node:child_process';
import { debianPackage, findProgram, type ProgramName } from './programs.ts';

/**
 * Debian starts a service as soon as it is installed. Its own way to say no is `policy-rc.d`; one that is there already
 * has its reasons and stays. The package lists are fetched only where the installation fails without.
 */
const installScript = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
install() { apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"; }
install "$@" || { apt-get update -q && install "$@"; }
`;

const INSTALL_TIMEOUT = 300_000;

/** Whether this machine lets us install: Debian's package manager, and root or sudo without a password. */
export function mayInstall(): boolean {
  return findProgram('apt-get') !== undefined && (isRoot() || hasPasswordlessSudo());
}

/** Installs the Debian packages of these programs. @throws {Error} with what the package manager wrote */
export function installPrograms(names: readonly ProgramName[]): void {
  const sudo = isRoot() ? [] : ['sudo', '-n'];
  const shell = ['env', 'DEBIAN_FRONTEND=noninteractive', 'sh', '-c', installScript, 'sh'];
  const [command = 'env', ...args] = [...sudo, ...shell, ...names.map(debianPackage)];
  execFileSync(command, args, { stdio: 'pipe', timeout: INSTALL_TIMEOUT });
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
