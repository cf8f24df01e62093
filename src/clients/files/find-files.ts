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
  const names = readdirSync(path).filter(isClientsFile).sort();
  // With --prune, an empty folder would remove all clients.
  if (names.length === 0) throw new RangeError('the folder contains no .yaml, .yml, .json, .jsonl or .ndjson file');
  const files = names.map((name) => join(path, name));
  // Reading a pipe would wait for its writer.
  const irregular = files.find(isIrregular);
  if (irregular !== undefined) throw new RangeError(`${basename(irregular)} in it is not a regular file`);
  return files;
}

/** Whether reading could wait forever: a named pipe. A file that cannot be accessed is reported when it is read. */
export function isIrregular(path: string): boolean {
  try {
    return !statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What a folder contains and does not stand for, such as a file without an extension. Hidden files and schemas are expected. */
export function ignoredFiles(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [];
  const names = readdirSync(path).filter((name) => !isHiddenOrSchema(name) && !isClientsFile(name));
  return names.sort().map((name) => join(path, name));
}

function isClientsFile(name: string): boolean {
  return !isHiddenOrSchema(name) && /\.(?:ya?ml|json|jsonl|ndjson)$/i.test(name);
}

/**
 * Kubernetes keeps the versions of a volume in hidden folders, and editors their lock files and backups in hidden files.
 * Editors also look in a folder for the schema that `$schema` names.
 */
function isHiddenOrSchema(name: string): boolean {
  return name.startsWith('.') || /\.schema\.json$/i.test(name);
}
