import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileErrorReason } from '../../file-error.ts';
import type { FileDiagnostic } from './diagnostics.ts';

/** The path that means standard input. */
export const STANDARD_INPUT = '-';

/** The files of some paths, and why other paths name none. */
interface FoundFiles {
  readonly files: readonly string[];
  readonly errors: readonly FileDiagnostic[];
}

/**
 * Finds the files that paths name: a file, a folder, or `-` for standard input. A folder stands for its .yaml, .yml,
 * .json, .jsonl and .ndjson files, without hidden files, schemas (`.schema.json`) and subfolders. Duplicates are removed.
 */
export function findFiles(paths: readonly string[]): FoundFiles {
  const errors: FileDiagnostic[] = [];
  const files = paths.flatMap((path) => {
    try {
      return path === STANDARD_INPUT ? [path] : filesAt(path);
    } catch (error) {
      errors.push({ file: path, message: fileErrorReason(error) });
      return [];
    }
  });
  return { files: [...new Set(files)], errors };
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter(isClientsFile);
  // With --prune, an empty folder would remove all clients.
  if (names.length === 0) throw new RangeError('the folder contains no .yaml, .yml, .json, .jsonl or .ndjson file');
  const files = names.sort().map((name) => join(path, name));
  // Reading a pipe would wait for its writer.
  const irregular = files.find((file) => !statSync(file).isFile());
  if (irregular !== undefined) throw new RangeError(`${basename(irregular)} in it is not a regular file`);
  return files;
}

/** Editors keep hidden lock files and backups in a folder, and look there for the schema that `$schema` names. */
function isClientsFile(name: string): boolean {
  const isIgnored = name.startsWith('.') || /\.schema\.json$/i.test(name);
  return !isIgnored && /\.(?:ya?ml|json|jsonl|ndjson)$/i.test(name);
}
