import { FileContentError } from '../files/file-content-error.ts';
import type { PrivateKeyFile } from '../files/private-key.ts';
import { readSecretFile } from '../files/secret-file.ts';
import type { RedisAccess, RedisTls } from '../redis/connect.ts';
import { parseRedisUrl, type RedisAddress } from '../redis/url.ts';
import { type CertificateChain, readCertificateFile } from './certificate-file.ts';
import { type KeyPair, pairWithKey, parsePrivateKey } from './key-pair.ts';
import { defineSettings, type Setting, type Warn } from './setting.ts';
import { naming, type SettingFile, type SettingFiles, settingFiles } from './setting-files.ts';
import { PREFIX, type Settings } from './settings.ts';

export const redisSettings = defineSettings('Redis', {
  REDIS_URL: {
    parse: parseRedisUrl,
    description: 'URL of the Redis that holds the records',
    details:
      'One server, `redis://user:password@host:6379/0`, over TLS (`rediss://…`) or a Unix socket; Sentinel; Cluster. ' +
      'See [redis.md](redis.md). The file is watched for a change of user and password.',
    requiredUnless: ['CLIENTS_FILE'],
    isSecret: true,
  },
  REDIS_KEY_PREFIX: {
    parse: parseKeyPrefix,
    description: 'prefix of all keys in Redis',
    default: 'countersign:',
    onlyWith: ['REDIS_URL'],
  },
});

/** A server watches all of them; a command reads them again for each connection. */
export const redisTlsSettings = defineSettings('Redis', {
  REDIS_CA_FILE: {
    parse: (path, warn) => reloadable(() => readCertificates(path), readCertificates(path, warn)),
    description: 'for `rediss://`, the CA certificates of the Redis server, PEM',
    details: 'Watched for changes, which apply to the next connection.',
    defaultDescription: "the system's CAs",
    onlyWith: ['REDIS_URL'],
  },
  REDIS_CERTIFICATE_FILE: {
    parse: (path, warn) => readCertificates(path, warn) && path,
    description: 'for `rediss://`, the certificate that this server presents to Redis, PEM',
    details: 'Watched for changes, which apply to the next connection.',
    requires: {
      anyOf: ['REDIS_CERTIFICATE_KEY_FILE'],
      reason: 'set it to the key of COUNTERSIGN_REDIS_CERTIFICATE_FILE',
    },
    onlyWith: ['REDIS_URL'],
  },
  REDIS_CERTIFICATE_KEY_FILE: {
    parse: (path, warn) => readPrivateKeyFile(path, warn) && path,
    description: 'private key of `COUNTERSIGN_REDIS_CERTIFICATE_FILE`, PEM and not encrypted',
    details: 'Watched for changes, which apply to the next connection.',
    requires: {
      anyOf: ['REDIS_CERTIFICATE_FILE'],
      reason: 'set it to the certificate of COUNTERSIGN_REDIS_CERTIFICATE_KEY_FILE',
    },
    onlyWith: ['REDIS_URL'],
  },
});

/** Where Redis is, how this server authenticates to it, and what its keys begin with. */
export interface RedisConfig extends RedisAccess {
  readonly keyPrefix: string;
  readonly files: RedisFiles;
}

/** What a server reads again while it runs; undefined for what is not in a file. */
export interface RedisFiles {
  readonly url: SettingFiles<RedisAddress> | undefined;
  readonly ca: SettingFiles<CertificateChain> | undefined;
  readonly certificate: SettingFiles<KeyPair & { readonly chain: CertificateChain }> | undefined;
}

/** Reads the connection to Redis; undefined if none is set. Problems are collected in `settings`. */
export function readRedisConfig(settings: Settings): RedisConfig | undefined {
  const address = settings.read(redisSettings.REDIS_URL);
  const keyPrefix = settings.read(redisSettings.REDIS_KEY_PREFIX);
  const tls = readTls(settings);
  const [unused] = Object.values(redisTlsSettings).filter((setting) => settings.has(setting));
  if (unused && address && !address.isEncrypted) {
    settings.reject(unused, 'requires TLS: use rediss in place of redis in COUNTERSIGN_REDIS_URL');
  }
  return address && { address, tls, keyPrefix, files: readRedisFiles(settings) };
}

function readRedisFiles(settings: Settings): RedisFiles {
  const { REDIS_CA_FILE, REDIS_CERTIFICATE_FILE, REDIS_CERTIFICATE_KEY_FILE } = redisTlsSettings;
  const [url, ca] = [settings.fileOf(redisSettings.REDIS_URL), settings.fileOf(REDIS_CA_FILE)];
  const [certificate, key] = [settings.fileOf(REDIS_CERTIFICATE_FILE), settings.fileOf(REDIS_CERTIFICATE_KEY_FILE)];
  return {
    url: url && settingFiles([url], () => settings.read(redisSettings.REDIS_URL), url.load),
    ca: ca && filesOf(REDIS_CA_FILE, [ca], (warn) => readCertificateFile(ca.path, warn)),
    certificate:
      certificate &&
      key &&
      filesOf(REDIS_CERTIFICATE_KEY_FILE, [certificate, key], (warn) => {
        const chain = readCertificateFile(certificate.path, warn);
        const privateKey = readPrivateKeyFile(key.path, warn);
        return { ...aboutFile(key.path, () => pairWithKey(chain, privateKey)), chain };
      }),
  };
}

/** @param setting whose problem it is if the files cannot be loaded again */
function filesOf<Value>(
  setting: Setting,
  files: readonly SettingFile<unknown>[],
  load: (warn: Warn) => Value,
): SettingFiles<Value> | undefined {
  const read = () => {
    try {
      return load(() => {});
    } catch {
      // Reported when the setting is read.
      return undefined;
    }
  };
  return settingFiles(files, read, (warn) => naming(PREFIX + setting.name, () => load(warn)));
}

function readTls(settings: Settings): RedisTls {
  const ca = settings.read(redisTlsSettings.REDIS_CA_FILE);
  const keyPair = readKeyPair(settings);
  let { key } = keyPair?.() ?? {};
  return {
    get ca() {
      return ca?.();
    },
    get cert() {
      const current = keyPair?.();
      key = current?.key;
      return current?.cert;
    },
    // The key of the certificate that was read before it: with another one, ioredis gives up for good.
    get key() {
      return key;
    },
  };
}

function readKeyPair(settings: Settings): (() => KeyPair) | undefined {
  const certificatePath = settings.read(redisTlsSettings.REDIS_CERTIFICATE_FILE);
  const keyPath = settings.read(redisTlsSettings.REDIS_CERTIFICATE_KEY_FILE);
  if (certificatePath === undefined || keyPath === undefined) return undefined;
  const load = () => loadKeyPair(certificatePath, keyPath);
  return settings.attempt(redisTlsSettings.REDIS_CERTIFICATE_KEY_FILE, () => reloadable(load, load()));
}

/** Loads again at each call. If that fails, the last value stays in use. */
function reloadable<Value>(load: () => Value, first: Value): () => Value {
  let last = first;
  return () => {
    try {
      last = load();
    } catch {
      // A connection that uses the last value either succeeds or reports why it fails.
    }
    return last;
  };
}

function readCertificates(path: string, warn: Warn = () => {}): string {
  return readCertificateFile(path, warn)
    .map(({ pem }) => pem)
    .join('');
}

/** Checks what OpenSSL requires, since ioredis never reconnects after OpenSSL rejected a pair, as during a renewal. */
function loadKeyPair(certificatePath: string, keyPath: string): KeyPair {
  const chain = readCertificateFile(certificatePath, () => {});
  const key = readPrivateKeyFile(keyPath, () => {});
  return aboutFile(keyPath, () => pairWithKey(chain, key));
}

function readPrivateKeyFile(path: string, warn: Warn): PrivateKeyFile {
  const text = readSecretFile(path);
  return aboutFile(path, () => parsePrivateKey(text, (part) => warn(`${path}: ${part}`)));
}

function aboutFile<Value>(path: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FileContentError || error instanceof RangeError)
      throw new RangeError(`${path} ${error.message}`);
    throw error;
  }
}

function parseKeyPrefix(text: string): string {
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return text;
  throw new RangeError('must be 1 to 64 printable ASCII characters without spaces');
}
