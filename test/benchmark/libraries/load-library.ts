import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '../processes.ts';

/** A dependency of this folder's package.json. */
type LibraryName = 'echarts' | 'oidc-provider';

const lockFile = join(import.meta.dirname, 'package-lock.json');
/** A copy of the lock file that was installed. */
const installedLockFile = join(import.meta.dirname, 'node_modules/.installed-lock.json');

/**
 * Runs `npm ci` in this folder, unless it was done for the same lock file.
 *
 * @throws {Error} with the output of npm
 */
export async function installLibraries(): Promise<void> {
  const wanted = readFileSync(lockFile, 'utf8');
  if (wanted === contentOf(installedLockFile)) return;
  await runTool('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], import.meta.dirname);
  writeFileSync(installedLockFile, wanted);
}

/** Imports an installed library. TypeScript cannot see its types, since it may not be installed. */
export function loadLibrary(name: LibraryName): Promise<unknown> {
  return import(name);
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
