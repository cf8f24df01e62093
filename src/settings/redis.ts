import { FileContentError } from '../files/file-content-error.ts';
import type { PrivateKeyFile } from '../files/private-key.ts';
import { readSecretFile } from '../files/secret-file.ts';
import type { RedisAccess, RedisTls } from '../redis/connect.ts';
import { parseRedisUrl } from '../redis/url.ts';
import { readCertificateFile } from './certificate-file.ts';
import { type KeyPair, pairWithKey, parsePrivateKey } from './key-pair.ts';
import { defineSettings, type Warn } from './setting.ts';
import type { Settings } from './settings.ts';

export const redisSettings = defineSettings('Redis', {
  REDIS_URL: {
    parse: parseRedisUrl,
    description: 'URL of the Redis that holds the records',
    details:
      'One server, `redis://user:password@host:6379/0`, over TLS (`rediss://…`) or a Unix socket; Sentinel; Cluster. ' +
      'See [redis.md](redis.md).',
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

/** All are read again for each connection, since certificates are renewed while the server runs. */
export const redisTlsSettings = defineSettings('Redis', {
  REDIS_CA_FILE: {
    parse: (path, warn) => reloadable(() => readCertificates(path), readCertificates(path, warn)),
    description: 'for `rediss://`, the CA certificates of the Redis server, PEM',
    details: 'Read again for each connection.',
    defaultDescription: "the system's CAs",
    onlyWith: ['REDIS_URL'],
  },
  REDIS_CERTIFICATE_FILE: {
    parse: (path, warn) => readCertificates(path, warn) && path,
    description: 'for `rediss://`, the certificate that this server presents to Redis, PEM',
    details: 'Read again for each connection.',
    requires: {
      anyOf: ['REDIS_CERTIFICATE_KEY_FILE'],
      reason: 'set it to the key of COUNTERSIGN_REDIS_CERTIFICATE_FILE',
    },
    onlyWith: ['REDIS_URL'],
  },
  REDIS_CERTIFICATE_KEY_FILE: {
    parse: (path, warn) => readPrivateKeyFile(path, warn) && path,
    description: 'private key of `COUNTERSIGN_REDIS_CERTIFICATE_FILE`, PEM and not encrypted',
    details: 'Read again for each connection.',
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
  return address && { address, tls, keyPrefix };
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
  return naming(keyPath, () => pairWithKey(chain, key));
}

function readPrivateKeyFile(path: string, warn: Warn): PrivateKeyFile {
  const text = readSecretFile(path);
  return naming(path, () => parsePrivateKey(text, (part) => warn(`${path}: ${part}`)));
}

function naming<Value>(path: string, parse: () => Value): Value {
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
