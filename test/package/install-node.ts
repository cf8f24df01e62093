import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository-root.ts';
import { runInstaller } from '../support/run-installer.ts';

/** The package that contains only the program, for this kind of machine. */
const packageName = `node-${process.platform}-${process.arch}`;

/**
 * Installs a version of Node.js in the repository, ignored by git. It is moved into place once it has run, so that the
 * installation is never incomplete.
 *
 * @returns the folder that contains `node`
 * @throws {Error} with the last line of the output of npm
 */
export function installNode(version: string): string {
  const programs = join(repositoryRoot, '.programs');
  const folder = join(programs, `node-${version}-${process.platform}-${process.arch}`);
  if (existsSync(folder)) return folder;
  mkdirSync(programs, { recursive: true });
  const staging = mkdtempSync(`${folder}.partial-`);
  try {
    const quietly = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
    runInstaller('npm', ['install', '--prefix', staging, ...quietly, `${packageName}@${version}`]);
    const unpacked = join(staging, 'node_modules', packageName, 'bin');
    const found = runInstaller(join(unpacked, 'node'), ['--version']).trim();
    if (found !== `v${version}`) throw new Error(`${packageName}@${version} contains Node.js ${found}`);
    renameSync(unpacked, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return folder;
}
