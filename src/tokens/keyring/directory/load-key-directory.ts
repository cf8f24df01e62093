import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../../../operator-error.ts';
import { readFileState } from '../../../watch-files.ts';
import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import { formatKeyTime } from '../key-time.ts';
import { keyFileTime } from './key-file-name.ts';
import { type DirectoryKey, type KeyDirectory, listKeyFiles, readKeyDirectory } from './read-key-directory.ts';

export interface KeyDirectoryLocation {
  readonly path: string;
  /** The server's own; undefined for that of the key that was the last to begin signing. */
  readonly algorithm: SigningAlgorithm | undefined;
}

/** A volume is swapped between two files at most once. */
const MAX_READS = 5;
const BETWEEN_READS_MILLISECONDS = 100;

/**
 * Reads the keys of a directory for a server: one version of it, of which one key signs.
 *
 * @param now milliseconds since the epoch
 * @throws {OperatorError} with every problem
 */
export async function loadKeyDirectory(location: KeyDirectoryLocation, now: number): Promise<KeyDirectory> {
  const directory = await readOneVersion(location);
  requireSigningKey(directory.keys, location, now);
  return directory;
}

/** Reads again if the files change meanwhile: some would be from before the change, and some from after it. */
async function readOneVersion({ path, algorithm }: KeyDirectoryLocation): Promise<KeyDirectory> {
  for (let reads = 1; ; reads += 1) {
    const before = readState(path);
    const result = await readKeyDirectory(path, algorithm).catch((error: unknown) => ({ error }));
    if (reads < MAX_READS && readState(path) !== before) await delay(BETWEEN_READS_MILLISECONDS);
    else if ('error' in result) throw result.error;
    else return result;
  }
}

function readState(path: string): string {
  try {
    return listKeyFiles(path)
      .map((name) => readFileState(join(path, name)))
      .join('\n');
  } catch (error) {
    return String(error);
  }
}

function requireSigningKey(keys: readonly DirectoryKey[], location: KeyDirectoryLocation, now: number): void {
  const { path, algorithm } = location;
  const create = `countersign keys create --dir ${path} --from ${keyFileTime(now).slice(0, 'YYYY-MM-DD'.length)}`;
  if (keys.length === 0) throw new OperatorError([`${path} contains no keys: create one with ${create}`]);
  const eligible = keys.filter((key) => algorithm === undefined || key.algorithm === algorithm);
  if (eligible.some(({ signsFrom }) => signsFrom <= now)) return;
  const [first] = eligible;
  const missing = first
    ? `no key in ${path} signs yet: the first one, ${first.file}, signs from ${formatKeyTime(first.signsFrom)}`
    : `no key in ${path} is for ${algorithm}, which COUNTERSIGN_SIGNING_ALG requires`;
  throw new OperatorError([`${missing}; create one that does with ${create} --alg ${algorithm ?? first?.algorithm}`]);
}
