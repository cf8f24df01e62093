import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileErrorReason } from '../../../errors/file-error.ts';
import { OperatorError } from '../../../errors/operator-error.ts';
import { readSecretFile } from '../../../files/secret-file.ts';
import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import { parseSigningKey, type SigningKey } from '../../signing-key.ts';
import type { KeyringKey } from '../live-keyring.ts';
import { parseKeyFileName } from './key-file-name.ts';

/** A key in a directory. */
export interface DirectoryKey extends KeyringKey {
  /** The name of its file. If the name has no time, the key precedes all others, and `signsFrom` is -Infinity. */
  readonly file: string;
  /** When its file was last changed, in milliseconds since the epoch. */
  readonly changedAt: number;
  readonly signer: SigningKey;
}

export interface KeyDirectory {
  /** In the order in which they begin to sign. */
  readonly keys: readonly DirectoryKey[];
  /** What is not read, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * The names of the files with keys, in alphabetical order. Hidden files are not keys: Kubernetes keeps the versions of a
 * volume in some.
 */
export function listKeyFiles(path: string): string[] {
  return readdirSync(path)
    .filter((name) => !name.startsWith('.'))
    .sort();
}

/**
 * Reads every key of a directory, or none.
 *
 * @param preferred the algorithm of each key that suits it and does not state another
 * @throws {OperatorError} with every problem, each with the path of its file; they never quote a key
 */
export async function readKeyDirectory(path: string, preferred: SigningAlgorithm | undefined): Promise<KeyDirectory> {
  const { files, folders } = listDirectory(path);
  const results = await Promise.all(files.map((name) => readKeyFile(path, name, preferred)));
  const keys = results.flatMap(({ key }) => key ?? []).sort(byTime);
  const problems = [...results.flatMap((result) => result.problems), ...conflicts(path, keys)];
  if (problems.length > 0) throw new OperatorError(problems);
  const notRead = folders.map((name) => `${join(path, name)} is a directory, which is not read`);
  return { keys, warnings: [...notRead, ...results.flatMap(({ warnings }) => warnings)] };
}

/** A file system may have directories of its own, such as lost+found. */
function listDirectory(path: string): { files: readonly string[]; folders: readonly string[] } {
  try {
    const names = listKeyFiles(path);
    const folders = new Set(names.filter((name) => isFolder(join(path, name))));
    return { files: names.filter((name) => !folders.has(name)), folders: [...folders] };
  } catch (error) {
    throw new OperatorError([`${path} cannot be read: ${fileErrorReason(error)}`]);
  }
}

/** A file that cannot be accessed is reported when it is read. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

interface KeyFileResult {
  readonly key?: DirectoryKey;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

async function readKeyFile(
  folder: string,
  name: string,
  preferred: SigningAlgorithm | undefined,
): Promise<KeyFileResult> {
  const path = join(folder, name);
  const problems: string[] = [];
  const signsFrom = attempt(problems, path, () => parseKeyFileName(name));
  const text = attempt(problems, path, () => readSecretFile(path));
  const changedAt = attempt(problems, path, () => requireOwner(folder, path).mtimeMs);
  const result = text === undefined ? undefined : await parseSigningKey(text, { preferred });
  if (result?.ok === false) problems.push(...result.problems.map((problem) => `${path}: ${problem}`));
  if (!result?.ok || signsFrom === undefined || changedAt === undefined || problems.length > 0)
    return { problems: problems.map((problem) => problem + hintFor(problem, signsFrom)), warnings: [] };
  const warnings = result.warnings.map((warning) => `${path}: ${warning}`);
  const { key: signer } = result;
  const { keyId, algorithm, publicJwk } = signer;
  return { key: { file: name, changedAt, keyId, algorithm, publicJwk, signsFrom, signer }, problems, warnings };
}

/** A name without a time may be that of another file, such as a README or a certificate. */
function hintFor(problem: string, signsFrom: number | undefined): string {
  // That fix is for the directory: files that are keys have the problem as well.
  const isOtherFile = signsFrom === Number.NEGATIVE_INFINITY && !problem.includes('run chmod o-w ');
  return isOtherFile ? '; if it is not a key, remove it, or begin its name with a dot: only keys belong here' : '';
}

/** Adds what `read` throws to `problems`, as a sentence about the file. */
function attempt<Value>(problems: string[], path: string, read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    const predicate = error instanceof RangeError ? error.message : `cannot be read: ${fileErrorReason(error)}`;
    const problem = predicate.startsWith(path) ? predicate : `${path} ${predicate}`;
    if (!problems.includes(problem)) problems.push(problem);
    return undefined;
  }
}

const WRITABLE_BY_OTHERS = 0o002;
const ROOT = 0;

/**
 * A user who can add a file to the directory can sign tokens. With the sticky bit, every user can add files but only the
 * owner of a file replaces it; a volume of Kubernetes has that mode, although no container can write to it.
 *
 * @throws {RangeError}
 */
function requireOwner(folder: string, path: string): Stats {
  const { mode, uid } = statSync(folder);
  const stats = statSync(path);
  if ((mode & WRITABLE_BY_OTHERS) === 0) return stats;
  const trusted = [ROOT, uid, process.geteuid?.()];
  if (trusted.includes(stats.uid) && trusted.includes(lstatSync(path).uid)) return stats;
  throw new RangeError(`belongs to another user, and every user can add keys to ${folder}: run chmod o-w ${folder}`);
}

/** One key in two files, and keys of which it is undecided which one signs. */
function conflicts(folder: string, keys: readonly DirectoryKey[]): string[] {
  return keys.flatMap((key, index) =>
    keys.slice(0, index).flatMap((earlier) => {
      const conflict = conflictBetween(key, earlier, join(folder, earlier.file));
      return conflict === undefined ? [] : [`${join(folder, key.file)} ${conflict}`];
    }),
  );
}

/** @param path of the file of the earlier key */
function conflictBetween(key: DirectoryKey, earlier: DirectoryKey, path: string): string | undefined {
  if (key.keyId === earlier.keyId) return `contains the same key as ${path}: remove one of the two`;
  if (key.signsFrom !== earlier.signsFrom) return undefined;
  if (key.signsFrom === Number.NEGATIVE_INFINITY) {
    return `has no time in its name, and neither has ${path}: begin the name of the later one with the time from which its key signs, such as 2026-11-01`;
  }
  if (key.algorithm !== earlier.algorithm) return undefined;
  return `and ${path} begin to sign ${key.algorithm} at the same time: rename one of the two`;
}

/** The difference of two infinite times is not a number. */
function byTime(one: DirectoryKey, other: DirectoryKey): number {
  return Number(one.signsFrom > other.signsFrom) - Number(one.signsFrom < other.signsFrom);
}
