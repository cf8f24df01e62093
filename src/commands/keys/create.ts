import { documentationUrl } from '../../documentation.ts';
import { ConfigurationError } from '../../errors/operator-error.ts';
import type { Environment } from '../../settings/settings.ts';
import type { SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';
import type { OutputFormat } from '../output/text.ts';
import { createKeyInDirectory } from './create-in-directory.ts';
import { readKeysConfig } from './keys-config.ts';

export interface CreateKeyOptions {
  readonly dir?: string;
  /** When the key begins to sign, in a directory. */
  readonly from?: string;
  /** The file of an existing key, which becomes the first one of the keyring in Redis. */
  readonly key?: string;
  readonly alg?: SigningAlgorithm;
  readonly output: OutputFormat;
}

/**
 * `countersign keys create`: creates a key in a directory, or the first keyring in Redis.
 *
 * @returns the exit code: 0
 * @throws {ConfigurationError} with every problem
 */
export async function createKey(env: Environment, { dir, from, key, ...options }: CreateKeyOptions): Promise<number> {
  const location = readKeysConfig(env, dir);
  switch (location.source) {
    case 'file':
      throw new ConfigurationError([key === undefined ? oneKey() : describeOtherSource(location.setting)]);
    case 'directory':
      if (key !== undefined) throw new ConfigurationError([ONLY_IN_REDIS]);
      if (from === undefined) throw new ConfigurationError([NO_TIME]);
      return createKeyInDirectory(location, { from, dir, ...options });
    case 'redis':
      if (from !== undefined) throw new ConfigurationError([ONLY_IN_DIRECTORY]);
      return (await import('./create-in-redis.ts')).createKeyInRedis(env, location, { key, ...options });
  }
}

function oneKey(): string {
  return (
    'COUNTERSIGN_SIGNING_KEY_FILE is one key, which this command does not replace: name a directory with --dir, ' +
    `and set COUNTERSIGN_SIGNING_KEYS_DIR in its place; or move to a keyring in Redis, as ${documentationUrl('keys.md')} describes`
  );
}

const ONLY_IN_REDIS =
  '--key is for the keyring in Redis: for that, unset COUNTERSIGN_SIGNING_KEYS_DIR; to add an existing key to a directory, ' +
  'copy its file there under a name without a time, such as first.pem';

/** @param setting the variable, without the prefix */
function describeOtherSource(setting: string): string {
  return `--key is for the keyring in Redis, and COUNTERSIGN_${setting} is set: unset it for this command (env -u COUNTERSIGN_${setting} countersign keys create …)`;
}

const NO_TIME =
  '--from is missing: set it to the time from which the key signs, in UTC, such as 2026-11-01 or 2026-11-01T1430Z';
const ONLY_IN_DIRECTORY =
  '--from is for keys in a directory, and keys in Redis rotate by themselves: remove it, or name the directory with --dir';
