import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What stands for the standard input among paths. */
export const STANDARD_INPUT = '-';

/** The files of some paths, and in words which paths name none. */
export interface FoundFiles {
  readonly files: readonly string[];
  readonly errors: readonly string[];
}

/**
 * The files that paths name: files, folders, of which every .yaml, .yml, .json, .jsonl and .ndjson counts, and `-` for the
 * standard input. Each counts once. Of a folder neither what is hidden counts, nor a schema (`.schema.json`), nor what is
 * in folders in it.
 */
export function findFiles(paths: readonly string[]): FoundFiles {
  const errors: string[] = [];
  const files = paths.flatMap((path) => {
    try {
      return path === STANDARD_INPUT ? [path] : filesAt(path);
    } catch (error) {
      errors.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  return { files: [...new Set(files)], errors: errors };
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter(isOfRecords);
  // A folder that was meant to hold clients and holds none would, with --prune, remove everybody.
  if (names.length === 0) throw new RangeError('the folder holds no .yaml, .yml, .json, .jsonl or .ndjson file');
  const files = names.sort().map((name) => join(path, name));
  // A pipe among them would wait for whoever writes it.
  const other = files.find((file) => !statSync(file).isFile());
  if (other !== undefined) throw new RangeError(`${basename(other)} in it is no regular file`);
  return files;
}

/** Editors lay their locks and copies beside a file, hidden; and its schema may stand there, where `$schema` looks for it. */
function isOfRecords(name: string): boolean {
  const isBeside = name.startsWith('.') || /\.schema\.json$/i.test(name);
  return !isBeside && /\.(?:ya?ml|json|jsonl|ndjson)$/i.test(name);
}
