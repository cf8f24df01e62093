import { OperatorError } from '../../../errors/operator-error.ts';
import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import { formatKeyTime } from '../key-time.ts';
import { keyFileTime } from './key-file-name.ts';
import { type DirectoryKey, type KeyDirectory, readKeyDirectory } from './read-key-directory.ts';

export interface KeyDirectoryLocation {
  readonly path: string;
  /** The server's own; undefined for that of the key that was the last to begin signing. */
  readonly algorithm: SigningAlgorithm | undefined;
}

/**
 * Reads the keys of a directory for a server: one of them signs.
 *
 * @param now milliseconds since the epoch
 * @throws {OperatorError} with every problem
 */
export async function loadKeyDirectory(location: KeyDirectoryLocation, now: number): Promise<KeyDirectory> {
  const directory = await readKeyDirectory(location.path, location.algorithm);
  requireSigningKey(directory.keys, location, now);
  return directory;
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
