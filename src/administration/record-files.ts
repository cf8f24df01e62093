import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AdministrationError } from './administration-error.ts';

/** What `-f -` names. */
export const STANDARD_INPUT = '-';

/**
 * The files that arguments of `-f` name: files, folders, of which every .yaml, .yml, .json, .jsonl and .ndjson counts
 * (not those of folders in them), and `-` for the standard input.
 *
 * @throws {AdministrationError} with everything that is not there
 */
export function recordFiles(paths: readonly string[]): readonly string[] {
  const messages: string[] = [];
  const files = paths.flatMap((path) => {
    try {
      return path === STANDARD_INPUT ? [path] : filesAt(path);
    } catch (error) {
      messages.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  if (messages.length > 0) throw new AdministrationError(messages);
  return [...new Set(files)];
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.(?:ya?ml|json|jsonl|ndjson)$/i.test(name));
  // A folder that was meant to hold clients and holds none would, with --prune, remove everybody.
  if (names.length === 0) throw new RangeError('the folder holds no .yaml, .yml, .json, .jsonl or .ndjson file');
  return names.sort().map((name) => join(path, name));
}
