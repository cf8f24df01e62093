import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.ts';

/** Texts of a shipped file, and what a test needs instead: ports and paths. */
export type Replacements = readonly (readonly [from: string, to: string])[];

/**
 * A file that the repository ships (a path from its root), with every replacement made wherever it occurs.
 * @throws {Error} naming a replacement that occurs nowhere: the test would not run the intended configuration
 */
export function shippedFile(path: string, replace: Replacements): string {
  return shippedFiles([path], replace)[path] ?? '';
}

/** The same for files that belong together, by their paths: a replacement must occur in one of them. */
export function shippedFiles(paths: readonly string[], replace: Replacements): Record<string, string> {
  const files = Object.fromEntries(paths.map((path) => [path, readFileSync(join(repositoryRoot, path), 'utf8')]));
  for (const [from, to] of replace) {
    const holders = Object.entries(files).filter(([, text]) => text.includes(from));
    if (holders.length === 0) throw new Error(`${paths.join(', ')}: nowhere ${JSON.stringify(from)}`);
    for (const [path, text] of holders) files[path] = text.replaceAll(from, () => to);
  }
  return files;
}
