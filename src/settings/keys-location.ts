import type { KeyEncryptionKeys } from './key-encryption-key.ts';
import { readRedisConfig, redisSettings } from './redis.ts';
import type { Settings } from './settings.ts';
import {
  type KeyDirectoryConfig,
  type KeyFileConfig,
  type RedisKeyringConfig,
  readKeyPolicy,
  readKeyText,
  signingKeySettings,
} from './signing-key.ts';

/** Where the keys are that a command manages. It may run where the key-encryption key is not. */
export type KeysLocation = KeyFileConfig | KeyDirectoryConfig | RedisLocation;

export interface RedisLocation extends Omit<RedisKeyringConfig, 'keyEncryptionKeys' | 'files'> {
  readonly keyEncryptionKeys: KeyEncryptionKeys | undefined;
}

/** Reads where a command finds the keys, first a directory; undefined if nowhere. Problems are collected in `settings`. */
export function readKeysLocation(settings: Settings): KeysLocation | undefined {
  const { SIGNING_KEY, SIGNING_KEYS_DIR, KEY_ENCRYPTION_KEY, SIGNING_ALG } = signingKeySettings;
  const algorithm = settings.read(SIGNING_ALG);
  const policy = readKeyPolicy(settings);
  const path = settings.read(SIGNING_KEYS_DIR);
  if (path !== undefined) return { source: 'directory', path, algorithm, policy };
  const key = readKeyText(settings);
  if (key) return { source: 'file', ...key, algorithm, policy };
  if (settings.has(SIGNING_KEY)) return undefined;
  const keyEncryptionKeys = settings.read(KEY_ENCRYPTION_KEY);
  const redis = readRedisConfig(settings);
  if (!settings.has(redisSettings.REDIS_URL)) settings.reportMissing(redisSettings.REDIS_URL, NO_LOCATION);
  if (!redis) return undefined;
  return {
    source: 'redis',
    redis,
    keyEncryptionKeys,
    setting: settings.variableOf(KEY_ENCRYPTION_KEY),
    algorithm,
    policy,
  };
}

const NO_LOCATION =
  'set it to the URL of the Redis that holds the keyring. To list, create or export keys in a directory, ' +
  'name it with --dir or COUNTERSIGN_SIGNING_KEYS_DIR';
