import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.ts';

/**
 * A file that the repository ships (a path from its root), with every replacement made wherever it occurs.
 * @throws {Error} naming a replacement that occurs nowhere: the test would run something other than it believes
 */
export function shippedFile(path: string, replace: readonly (readonly [from: string, to: string])[]): string {
  let text = readFileSync(join(repositoryRoot, path), 'utf8');
  for (const [from, to] of replace) {
    if (!text.includes(from)) throw new Error(`${path} does not contain ${JSON.stringify(from)}`);
    text = text.replaceAll(from, () => to);
  }
  return text;
}
