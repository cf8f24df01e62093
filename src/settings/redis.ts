import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { RedisAccess, RedisTls } from '../redis/connect.ts';
import { parseRedisUrl } from '../redis/url.ts';
import { readCertificateFile } from './certificate-file.ts';
import { readSecretFile, type Settings } from './settings.ts';

/** Where Redis is, how we prove who we are, and what our keys begin with. */
export interface RedisConfig extends RedisAccess {
  /** `countersign:` unless configured otherwise. */
  readonly keyPrefix: string;
}

const tlsSettings = ['REDIS_CA_FILE', 'REDIS_CERTIFICATE_FILE', 'REDIS_CERTIFICATE_KEY_FILE'] as const;

/** What has a meaning only with `COUNTERSIGN_REDIS_URL`. */
export const redisSettings = ['REDIS_KEY_PREFIX', ...tlsSettings] as const;

/** Reads that; undefined where no Redis is set. Faults are collected in the settings. */
export function readRedisConfig(settings: Settings): RedisConfig | undefined {
  const address = settings.secret('REDIS_URL', parseRedisUrl);
  const keyPrefix = settings.optional('REDIS_KEY_PREFIX', parseKeyPrefix) ?? 'countersign:';
  const tls = readTls(settings);
  const [needless] = tlsSettings.filter((name) => settings.has(name));
  if (needless && address && !address.isEncrypted) {
    settings.reject(needless, 'is for TLS, and COUNTERSIGN_REDIS_URL is not: begin it with rediss');
  }
  return address && { address, tls, keyPrefix };
}

/** The files are read again for each connection: certificates are renewed while the server runs. */
function readTls(settings: Settings): RedisTls {
  const ca = settings.optional('REDIS_CA_FILE', (path) => readAgain(() => checkedCertificates(path)));
  const identity = readKeyPair(settings);
  let { key } = identity?.() ?? {};
  return {
    get ca() {
      return ca?.();
    },
    get cert() {
      const read = identity?.();
      key = read?.key;
      return read?.cert;
    },
    // Of the certificate that was asked for before it: a key of another one would end the connection for good.
    get key() {
      return key;
    },
  };
}

/** Our certificate and its key, PEM. */
interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

function readKeyPair(settings: Settings): (() => KeyPair) | undefined {
  const certificatePath = settings.optional('REDIS_CERTIFICATE_FILE', (path) => checkedCertificates(path) && path);
  const [hasCertificate, hasKey] = [settings.has('REDIS_CERTIFICATE_FILE'), settings.has('REDIS_CERTIFICATE_KEY_FILE')];
  if (hasCertificate && !hasKey) settings.missing('REDIS_CERTIFICATE_KEY_FILE', 'the key of the certificate for Redis');
  if (hasKey && !hasCertificate) settings.missing('REDIS_CERTIFICATE_FILE', 'the certificate of the key that is set');
  return settings.optional('REDIS_CERTIFICATE_KEY_FILE', (path) => {
    checkedKey(path);
    return certificatePath === undefined ? undefined : readAgain(() => checkedKeyPair(certificatePath, path));
  });
}

/** What the files hold now, or held last where they cannot be used at the moment. */
function readAgain<Value>(read: () => Value): () => Value {
  let last = read();
  return () => {
    try {
      last = read();
    } catch {
      // A connection with the last one fails and says why, or succeeds.
    }
    return last;
  };
}

function checkedCertificates(path: string): string {
  return readCertificateFile(path)
    .map(({ pem }) => pem)
    .join('');
}

/** ioredis never tries again where OpenSSL does not take these, as while the second of two files is yet to be renewed. */
function checkedKeyPair(certificatePath: string, keyPath: string): KeyPair {
  const [cert, key] = [checkedCertificates(certificatePath), checkedKey(keyPath)];
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new RangeError(`names ${keyPath}, which is not the key of COUNTERSIGN_REDIS_CERTIFICATE_FILE`);
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RangeError(`names ${keyPath}, which cannot be used with COUNTERSIGN_REDIS_CERTIFICATE_FILE: ${message}`);
  }
  return { cert, key };
}

function checkedKey(path: string): string {
  const text = readSecretFile(path);
  try {
    createPrivateKey(text);
    return text;
  } catch {
    // What Node says of it may quote it.
    throw new RangeError(`names ${path}, which holds no private key that can be read: PEM, and not encrypted`);
  }
}

function parseKeyPrefix(text: string): string {
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return text;
  throw new RangeError('must be 1 to 64 printable ASCII characters without spaces');
}
