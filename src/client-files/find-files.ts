import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What stands for the standard input among paths. */
export const STANDARD_INPUT = '-';

/** The files of some paths, and in words which paths name none. */
export interface FoundFiles {
  readonly files: readonly string[];
  readonly faults: readonly string[];
}

/**
 * The files that paths name: files, folders, of which every .yaml, .yml, .json, .jsonl and .ndjson counts (not those of
 * folders in them), and `-` for the standard input. Each counts once.
 */
export function findFiles(paths: readonly string[]): FoundFiles {
  const faults: string[] = [];
  const files = paths.flatMap((path) => {
    try {
      return path === STANDARD_INPUT ? [path] : filesAt(path);
    } catch (error) {
      faults.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  return { files: [...new Set(files)], faults };
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.(?:ya?ml|json|jsonl|ndjson)$/i.test(name));
  // A folder that was meant to hold clients and holds none would, with --prune, remove everybody.
  if (names.length === 0) throw new RangeError('the folder holds no .yaml, .yml, .json, .jsonl or .ndjson file');
  return names.sort().map((name) => join(path, name));
}
