import { ConfigurationError, OperatorError } from '../../operator-error.ts';
import type { Environment } from '../../settings/settings.ts';
import type { SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';
import type { OutputFormat } from '../output/text.ts';
import { createKeyInDirectory } from './create-in-directory.ts';
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
export async function createKey(env: Environment, { dir, from, ...options }: CreateKeyOptions): Promise<number> {
  const location = readKeysConfig(env, dir);
  switch (location.source) {
    case 'file':
      throw new OperatorError([ONE_KEY]);
    case 'directory':
      if (from === undefined) throw new ConfigurationError([NO_TIME]);
      return createKeyInDirectory(location, { from, ...options });
    case 'redis':
      if (from !== undefined) throw new ConfigurationError([ONLY_IN_DIRECTORY]);
      return (await import('./create-in-redis.ts')).createKeyInRedis(location, options);
  }
}

const ONE_KEY =
  'COUNTERSIGN_SIGNING_KEY_FILE is one key, which this command does not replace: name a directory with --dir, ' +
  'and set COUNTERSIGN_SIGNING_KEYS_DIR in its place';
const NO_TIME =
  '--from is missing: set it to the time from which the key signs, in UTC, such as 2026-11-01 or 2026-11-01T1430Z';
const ONLY_IN_DIRECTORY =
  '--from is for keys in a directory, and keys in Redis rotate by themselves: remove it, or name the directory with --dir';
