import { ConfigurationError } from '../../errors/operator-error.ts';
import type { RedisLocation } from '../../settings/keys-location.ts';
import type { Environment } from '../../settings/settings.ts';
import type { KeyDirectoryConfig, KeyFileConfig } from '../../settings/signing-key.ts';
import { KEY_RETENTION_MILLISECONDS } from '../../tokens/keyring/key-policy.ts';
import type { ScheduledKey } from '../../tokens/keyring/lifecycle.ts';
import type { PublishedKey } from '../../tokens/published-key.ts';
import { readSigningKey, SigningKeyError } from '../../tokens/signing-key.ts';
import { printWarnings } from '../output/errors.ts';
import { readDirectory, readKeysConfig } from './keys-config.ts';

/** The keys of one source, as commands list and export them. */
export interface KeyInventory {
  /** Milliseconds after which the last token that a key signed has expired, and the key is not needed any more. */
  readonly retention: number;
  /** Whether keys are published until an operator removes them. */
  readonly keepsExpired: boolean;
  readonly keys: readonly InventoryKey[];
}

interface InventoryKey extends ScheduledKey, PublishedKey {
  /** The name of its file; undefined if it is not in a directory. */
  readonly file: string | undefined;
}

/**
 * Reads the keys from where the options and the settings locate them.
 *
 * @throws {ConfigurationError} with every problem
 */
export async function readInventory(env: Environment, directory: string | undefined): Promise<KeyInventory> {
  const location = readKeysConfig(env, directory);
  switch (location.source) {
    case 'file':
      return readFileInventory(location);
    case 'directory':
      return readDirectoryInventory(location, directory);
    case 'redis':
      return readRedisInventory(location);
  }
}

async function readFileInventory({ text, algorithm, setting }: KeyFileConfig): Promise<KeyInventory> {
  try {
    const key = await readSigningKey(text, algorithm);
    return {
      retention: KEY_RETENTION_MILLISECONDS,
      keepsExpired: true,
      keys: [{ ...key, signsFrom: Number.NEGATIVE_INFINITY, file: undefined }],
    };
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error;
    throw new ConfigurationError(error.problems.map((problem) => `COUNTERSIGN_${setting}: ${problem}`));
  }
}

async function readDirectoryInventory(
  location: KeyDirectoryConfig,
  directory: string | undefined,
): Promise<KeyInventory> {
  const { keys, warnings } = await readDirectory(location, directory);
  printWarnings(warnings);
  return { retention: location.policy.retention, keepsExpired: true, keys };
}

async function readRedisInventory({ redis, policy }: RedisLocation): Promise<KeyInventory> {
  const { readKeyringInRedis } = await import('./keyring-in-redis.ts');
  const keys = await readKeyringInRedis(redis);
  return { retention: policy.retention, keepsExpired: false, keys: keys.map((key) => ({ ...key, file: undefined })) };
}
