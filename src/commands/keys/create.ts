import { OperatorError } from '../../operator-error.ts';
import type { Environment } from '../../settings/settings.ts';
import type { SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';
import type { OutputFormat } from '../output/text.ts';
import { readKeysConfig } from './keys-config.ts';

export interface CreateKeyOptions {
  readonly dir?: string;
  /** When the key begins to sign, in a directory. */
  readonly from?: string;
  readonly alg?: SigningAlgorithm;
  readonly output: OutputFormat;
}

/**
 * `countersign keys create`: creates a key in a directory, or the first keyring in Redis.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function createKey(env: Environment, { dir }: CreateKeyOptions): Promise<number> {
  const location = readKeysConfig(env, dir);
  throw new OperatorError([`keys create is not supported yet (${location.source})`]);
}
