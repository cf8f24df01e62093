import { documentationUrl } from '../../documentation.ts';
import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import { type KeysLocation, type RedisLocation, readKeysLocation } from '../../settings/keys-location.ts';
import { type Environment, Settings } from '../../settings/settings.ts';
import type { KeyDirectoryConfig } from '../../settings/signing-key.ts';
import { type KeyDirectory, readKeyDirectory } from '../../tokens/keyring/directory/read-key-directory.ts';
import { printWarnings } from '../output/errors.ts';

/**
 * Where a command finds the keys.
 *
 * @param directory `--dir`, which takes precedence over the settings
 * @throws {ConfigurationError} with every problem, such as that neither a directory nor Redis is set
 */
export function readKeysConfig(env: Environment, directory: string | undefined): KeysLocation {
  if (directory === '') throw new ConfigurationError(['--dir is empty: expected the path of a directory']);
  const settings = new Settings(directory === undefined ? env : { ...env, COUNTERSIGN_SIGNING_KEYS_DIR: directory });
  const location = readKeysLocation(settings);
  if (!location || settings.problems.length > 0) throw new ConfigurationError(settings.problems);
  printWarnings(settings.warnings);
  return location;
}

/**
 * Reads the keys of a directory.
 *
 * @param directory `--dir`, if it names the directory
 * @throws {ConfigurationError} with every problem, if a setting names it
 * @throws {OperatorError} with every problem, if `--dir` does
 */
export async function readDirectory(
  { path, algorithm }: KeyDirectoryConfig,
  directory: string | undefined,
): Promise<KeyDirectory> {
  try {
    return await readKeyDirectory(path, algorithm);
  } catch (error) {
    if (directory !== undefined || !(error instanceof OperatorError)) throw error;
    throw new ConfigurationError(error.problems.map((problem) => `COUNTERSIGN_SIGNING_KEYS_DIR: ${problem}`));
  }
}

/**
 * The keyring in Redis, for the commands that only exist there.
 *
 * @throws {ConfigurationError} with every problem
 */
export function readRedisLocation(env: Environment): RedisLocation {
  const location = readKeysConfig(env, undefined);
  if (location.source === 'redis') return location;
  const place = location.source === 'file' ? 'in a file (COUNTERSIGN_SIGNING_KEY)' : 'in a directory';
  throw new ConfigurationError([
    `this command is for a keyring in Redis, and the keys are ${place}: see ${documentationUrl('keys.md')}`,
  ]);
}
