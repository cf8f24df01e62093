import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileErrorReason } from '../../errors/file-error.ts';
import type { FileDiagnostic } from './diagnostics.ts';

/** The path that means standard input. */
export const STANDARD_INPUT = '-';

/** The files of some paths, and why other paths name none. */
interface FoundFiles {
  readonly files: readonly string[];
  readonly errors: readonly FileDiagnostic[];
}

/**
 * Finds the files that paths name: a file, a folder, or `-` for standard input. A folder stands for the .yaml, .yml, .json,
 * .jsonl and .ndjson files in it and in its subfolders, without hidden ones, schemas (`.schema.json`) and deeper folders.
 * Duplicates are removed.
 */
export function findFiles(paths: readonly string[]): FoundFiles {
  const errors: FileDiagnostic[] = [];
  const attempt = (path: string, find: () => string[]): string[] => {
    try {
      return find();
    } catch (error) {
      errors.push({ file: path, message: fileErrorReason(error) });
      return [];
    }
  };
  const files = paths.flatMap((path) =>
    attempt(path, () => {
      if (path === STANDARD_INPUT || !statSync(path).isDirectory()) return [path];
      const subfolders = subfoldersOf(path);
      const own = filesIn(path, subfolders.length > 0);
      return [...own, ...subfolders.flatMap((folder) => attempt(folder, () => filesIn(folder)))];
    }),
  );
  return { files: [...new Set(files)], errors };
}

function filesIn(folder: string, mayBeEmpty = false): string[] {
  const files = pathsIn(folder).filter((path) => isClientsFile(basename(path)) && !isFolder(path));
  // With --prune, an empty folder would remove all clients.
  if (files.length === 0 && !mayBeEmpty)
    throw new RangeError('the folder contains no .yaml, .yml, .json, .jsonl or .ndjson file');
  // Reading a pipe would wait for its writer.
  const irregular = files.find(isIrregular);
  if (irregular !== undefined) throw new RangeError(`${basename(irregular)} in it is not a regular file`);
  return files;
}

/** Kubernetes mounts each of several ConfigMaps in a folder of its own, so that equal keys do not hide each other. */
function subfoldersOf(folder: string): string[] {
  return pathsIn(folder).filter((path) => isFolder(path) && !isHidden(basename(path)));
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

/** Whether reading could wait forever: a named pipe. A file that cannot be accessed is reported when it is read. */
export function isIrregular(path: string): boolean {
  return statsOf(path)?.isFile() === false;
}

function isFolder(path: string): boolean {
  return statsOf(path)?.isDirectory() === true;
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

const MAX_NAMED = 20;

/** One warning for each of these folders that contains something that it does not stand for, such as a file without an extension. */
export function ignoredFiles(paths: readonly string[]): readonly FileDiagnostic[] {
  return paths.filter(isFolder).flatMap((path) => {
    const ignored = ignoredIn(path).map((file) => relative(path, file));
    if (ignored.length === 0) return [];
    const more = ignored.length > MAX_NAMED ? [`${ignored.length - MAX_NAMED} more`] : [];
    const names = [...ignored.slice(0, MAX_NAMED), ...more].join(', ');
    return [{ file: path, message: `does not stand for ${names}: ${EXPECTED_NAMES}` }];
  });
}

const EXPECTED_NAMES =
  'name files with .yaml, .yml, .json, .jsonl or .ndjson and without a dot in front, in the folder or one level below it';

function ignoredIn(path: string): string[] {
  try {
    const subfolders = subfoldersOf(path);
    const nested = subfolders
      .flatMap(pathsIn)
      .filter((inside) => (isFolder(inside) ? !isHidden(basename(inside)) : isUnexpected(inside)));
    const own = pathsIn(path).filter((inside) => !isFolder(inside) && isUnexpected(inside));
    return [...own, ...nested];
  } catch {
    // A folder that cannot be read is an error of findFiles.
    return [];
  }
}

/** A file that is not read, and that no tool keeps in such a folder. */
function isUnexpected(path: string): boolean {
  const name = basename(path);
  if (isHidden(name)) return isClientsFile(name.slice(1)) && statsOf(path)?.isFile() === true;
  return !isClientsFile(name) && !isHiddenOrSchema(name);
}

function isClientsFile(name: string): boolean {
  return !isHiddenOrSchema(name) && /\.(?:ya?ml|json|jsonl|ndjson)$/i.test(name);
}

/** Editors look in a folder for the schema that `$schema` names. */
function isHiddenOrSchema(name: string): boolean {
  return isHidden(name) || /\.schema\.json$/i.test(name);
}

/**
 * Kubernetes keeps the versions of a volume in hidden folders, and editors their lock files and backups in hidden files. The
 * root of a file system of Linux has a folder for what a repair finds.
 */
function isHidden(name: string): boolean {
  return name.startsWith('.') || name === 'lost+found';
}
