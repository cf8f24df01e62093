import { readdirSync, statSync } from 'node:fs';
import { fileErrorReason } from '../errors/file-error.ts';
import { type SigningAlgorithm, signingAlgorithmNames } from '../tokens/algorithms/signing-algorithm.ts';
import {
  CLOCK_TOLERANCE_MILLISECONDS,
  KEY_RETENTION_MILLISECONDS,
  type KeyPolicy,
  type RotationPolicy,
} from '../tokens/keyring/key-policy.ts';
import type { ClientsConfig } from './clients.ts';
import { type KeyEncryptionKeys, parseKeyEncryptionKeys } from './key-encryption-key.ts';
import { oneOf, parseDuration, plainText } from './parsers.ts';
import type { RedisConfig } from './redis.ts';
import { defineSettings } from './setting.ts';
import { type SettingFiles, settingFiles } from './setting-files.ts';
import { PREFIX, type Settings } from './settings.ts';

const MINUTE = 60_000;

export const signingKeySettings = defineSettings('Signing keys', {
  SIGNING_KEY: {
    parse: plainText,
    description: 'private key that signs tokens, PEM or JWK',
    details: 'One key. The file is watched for changes: a new key is published first, and signs later.',
    isSecret: true,
    requiredUnless: ['SIGNING_KEYS_DIR', 'KEY_ENCRYPTION_KEY_FILE'],
  },
  SIGNING_KEYS_DIR: {
    parse: plainText,
    description: 'directory of private keys, whose names begin with the time from which each signs',
    details: '`2026-11-01.pem` or `2026-11-01T1430Z.pem`, in UTC; PEM or JWK. Watched for changes.',
    requiredUnless: ['SIGNING_KEY_FILE', 'KEY_ENCRYPTION_KEY_FILE'],
  },
  KEY_ENCRYPTION_KEY: {
    parse: parseKeyEncryptionKeys,
    description: 'key that seals the private keys of the keyring in Redis, 32 bytes in base64url',
    details:
      'Keys then rotate by themselves. Requires `COUNTERSIGN_REDIS_URL`, and `countersign keys create` once. ' +
      'To replace it, put the new one in a line above. The file is watched for changes.',
    isSecret: true,
    requiredUnless: ['SIGNING_KEY_FILE', 'SIGNING_KEYS_DIR'],
  },
  KEY_PUBLISH_AHEAD: {
    parse: durationBetween('10m', '365d'),
    description: 'for how long a key is published before it signs',
    details: 'At least as long as verifiers cache the JWKS. `10m` or more.',
    default: '24h',
    onlyWith: ['SIGNING_KEYS_DIR', 'KEY_ENCRYPTION_KEY', 'SIGNING_KEY_FILE'],
  },
  KEY_ROTATION: {
    parse: parseRotation,
    description: 'for how long a key of the keyring in Redis signs, or `off`',
    details:
      'At least `COUNTERSIGN_KEY_PUBLISH_AHEAD` and the 24 h 5 min for which a key is published after it signed.',
    default: '30d',
    onlyWith: ['KEY_ENCRYPTION_KEY'],
  },
  SIGNING_ALG: {
    parse: oneOf(signingAlgorithmNames),
    description: 'signature algorithm of tokens, unless a resource names its own',
    details:
      '`ES256`, `ES384`, `ES512`, `EdDSA` or `Ed25519`, `RS256` … `PS512`; experimental: `ML-DSA-44`, `ML-DSA-65` ' +
      '([keys.md](keys.md#algorithms)).',
    defaultDescription:
      'of one key, that of its type (`RS256` for RSA); of a directory, that of the key that began to sign last; ' +
      'of the keyring in Redis, that of `countersign keys create`',
  },
});

/** Where the signing keys are. */
export type KeyringConfig = KeyFileConfig | KeyDirectoryConfig | RedisKeyringConfig;

export interface KeyFileConfig {
  readonly source: 'file';
  readonly text: string;
  /** How to read the text again; undefined if it is not in a file. */
  readonly files: SettingFiles<string> | undefined;
  readonly policy: KeyPolicy;
  readonly algorithm: SigningAlgorithm | undefined;
  /** The variable that holds the key or names its file, without the prefix; for messages. */
  readonly setting: string;
}

export interface KeyDirectoryConfig {
  readonly source: 'directory';
  readonly path: string;
  /** The server's own; undefined for that of the key that was the last to begin signing. */
  readonly algorithm: SigningAlgorithm | undefined;
  readonly policy: KeyPolicy;
}

export interface RedisKeyringConfig {
  readonly source: 'redis';
  readonly redis: RedisConfig;
  readonly keyEncryptionKeys: KeyEncryptionKeys;
  /** How to read them again; undefined if they are not in a file. */
  readonly files: SettingFiles<KeyEncryptionKeys> | undefined;
  /** The variable that holds the key-encryption key or names its file, without the prefix; for messages. */
  readonly setting: string;
  /** The server's own; undefined for that of the keyring. */
  readonly algorithm: SigningAlgorithm | undefined;
  readonly policy: RotationPolicy;
}

/** Reads where the signing keys are; undefined if nowhere. Problems are collected in `settings`. */
export function readKeyringConfig(settings: Settings, clients: ClientsConfig | undefined): KeyringConfig | undefined {
  const { SIGNING_KEYS_DIR, KEY_ENCRYPTION_KEY, SIGNING_ALG } = signingKeySettings;
  const key = readKeyText(settings);
  const path = settings.read(SIGNING_KEYS_DIR);
  const file = settings.fileOf(KEY_ENCRYPTION_KEY);
  const files = file && settingFiles([file], () => settings.read(KEY_ENCRYPTION_KEY), file.load);
  const keyEncryptionKeys = files?.first ?? settings.read(KEY_ENCRYPTION_KEY);
  const algorithm = settings.read(SIGNING_ALG);
  const policy = readKeyPolicy(settings);
  requireOneSource(settings);
  if (key) return { source: 'file', ...key, algorithm, policy };
  if (path !== undefined) {
    settings.attempt(SIGNING_KEYS_DIR, () => requireDirectory(path));
    return { source: 'directory', path, algorithm, policy };
  }
  if (!settings.has(KEY_ENCRYPTION_KEY)) return undefined;
  if (clients?.store === 'memory') return settings.reject(KEY_ENCRYPTION_KEY, NEEDS_REDIS);
  if (!clients || !keyEncryptionKeys) return undefined;
  const setting = settings.variableOf(KEY_ENCRYPTION_KEY);
  return { source: 'redis', redis: clients, keyEncryptionKeys, files, setting, algorithm, policy };
}

/** Reads `COUNTERSIGN_SIGNING_KEY`; undefined if it is not set. Problems are collected in `settings`. */
export function readKeyText(settings: Settings): Pick<KeyFileConfig, 'text' | 'files' | 'setting'> | undefined {
  const { SIGNING_KEY } = signingKeySettings;
  const file = settings.fileOf(SIGNING_KEY);
  const files = file && settingFiles([file], () => settings.read(SIGNING_KEY), file.load);
  const text = files?.first ?? settings.read(SIGNING_KEY);
  return text === undefined ? undefined : { text, files, setting: settings.variableOf(SIGNING_KEY) };
}

const NEEDS_REDIS =
  'is for the keyring in Redis, and COUNTERSIGN_CLIENTS_FILE is set: set COUNTERSIGN_REDIS_URL in its place, ' +
  'or keep the keys in a directory (COUNTERSIGN_SIGNING_KEYS_DIR)';

/** In the order in which they are recommended to beginners. */
const sources = [
  signingKeySettings.SIGNING_KEY,
  signingKeySettings.SIGNING_KEYS_DIR,
  signingKeySettings.KEY_ENCRYPTION_KEY,
] as const;

function requireOneSource(settings: Settings): void {
  const [first, ...others] = sources.filter((setting) => settings.has(setting));
  if (!first) {
    settings.reportMissing(signingKeySettings.SIGNING_KEY, NO_SOURCE);
    return;
  }
  const name = PREFIX + settings.variableOf(first);
  for (const other of others) settings.reject(other, `is set together with ${name}: remove one of the two`);
}

const NO_SOURCE =
  'set it to the file with the private key that signs tokens; generate one with: ' +
  'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing-key.pem. ' +
  'For keys that rotate, set COUNTERSIGN_SIGNING_KEYS_DIR to a directory of keys, ' +
  'or COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE for a keyring in Redis';

/** Problems are collected in `settings`. */
export function readKeyPolicy(settings: Settings): RotationPolicy {
  const { KEY_PUBLISH_AHEAD, KEY_ROTATION } = signingKeySettings;
  const publishAhead = settings.read(KEY_PUBLISH_AHEAD);
  const rotation = settings.read(KEY_ROTATION);
  const retention = KEY_RETENTION_MILLISECONDS;
  const clockTolerance = CLOCK_TOLERANCE_MILLISECONDS;
  if (rotation === 'off') return { retention, publishAhead, clockTolerance, rotation: undefined };
  const shortest = publishAhead + retention;
  if (rotation < shortest && settings.has(signingKeySettings.KEY_ENCRYPTION_KEY)) {
    const parts = 'COUNTERSIGN_KEY_PUBLISH_AHEAD and the 24 h 5 min for which a key stays published';
    const fix = `set it to ${Math.ceil(shortest / MINUTE)}m or longer, or to off`;
    settings.reject(KEY_ROTATION, `is shorter than ${parts} together: ${fix}`);
  }
  return { retention, publishAhead, clockTolerance, rotation };
}

/** Reported together with the problems of other settings. The keys are read when the server opens them. */
function requireDirectory(path: string): void {
  try {
    if (statSync(path).isDirectory()) readdirSync(path);
    else throw new RangeError(`${path} is not a directory: for one key, set COUNTERSIGN_SIGNING_KEY_FILE instead`);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new RangeError(`${path} cannot be read: ${fileErrorReason(error)}`);
  }
}

function parseRotation(text: string): number | 'off' {
  if (text === 'off') return text;
  try {
    return durationBetween('10m', '3650d')(text);
  } catch (error) {
    throw new RangeError(`${error instanceof Error ? error.message : error}, or off`);
  }
}

function durationBetween(shortest: string, longest: string): (text: string) => number {
  const [min, max] = [parseDuration(shortest), parseDuration(longest)];
  return (text) => {
    const milliseconds = parseDuration(text);
    if (milliseconds >= min && milliseconds <= max) return milliseconds;
    throw new RangeError(`"${text}" must be at least ${shortest} and at most ${longest}`);
  };
}
