import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository-root.ts';
import { runInstaller } from '../support/run-installer.ts';

/** The package as its users have it. */
export interface InstalledPackage {
  /** Its folder in `node_modules`. */
  readonly folder: string;
  /** The command that npm installs. */
  readonly command: string;
  /** The names of all packages that were installed. */
  readonly packages: readonly string[];
}

/**
 * Packs the repository, and installs the tarball into an empty folder, without a registry.
 *
 * @throws {Error} with the last line of the output of npm
 */
export function installPackage(directory: string): InstalledPackage {
  // One at a time: it builds into `dist`, which is emptied first.
  const lock = join(repositoryRoot, 'package.json');
  runInstaller('flock', [lock, 'npm', 'pack', '--pack-destination', directory, repositoryRoot]);
  const [tarball = ''] = globSync('countersign-*.tgz', { cwd: directory });
  const target = join(directory, 'installed');
  mkdirSync(target);
  runInstaller('npm', ['install', '--offline', '--no-audit', '--prefix', target, join(directory, tarball)]);
  const modules = join(target, 'node_modules');
  return {
    folder: join(modules, 'countersign'),
    command: join(modules, '.bin', 'countersign'),
    packages: globSync(['*', '@*/*'], { cwd: modules }).filter((name) => !name.startsWith('@') || name.includes('/')),
  };
}
