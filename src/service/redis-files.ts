import { isDeepStrictEqual } from 'node:util';
import { OperatorError } from '../errors/operator-error.ts';
import type { Log } from '../observability/log.ts';
import type { RedisTls } from '../redis/connect.ts';
import type { RedisAddress } from '../redis/url.ts';
import { areSameCertificates, type FiledCertificate } from '../settings/certificate-file.ts';
import { isSameKeyPair } from '../settings/key-pair.ts';
import type { RedisConfig, RedisFiles } from '../settings/redis.ts';
import { watchSetting } from './watch-setting.ts';
import type { WatchedFiles } from './watched-files.ts';

/**
 * Watches the files with the password and the certificates for Redis.
 *
 * @returns the configuration, whose credentials and certificates are those in use for the next connection
 */
export function watchRedisFiles<C extends RedisConfig>(config: C, watched: WatchedFiles, log: Log): C {
  const { files, address } = config;
  const url = watchSetting(
    'redis_url',
    files.url && withSameAddress(files.url, address),
    { watched, log },
    {
      describe: ({ credentials }) => ({ summary: `user ${credentials.username ?? 'default'}` }),
      isSame: isDeepStrictEqual,
    },
  );
  return {
    ...config,
    address: {
      ...address,
      get credentials() {
        return url?.current.credentials ?? address.credentials;
      },
    },
    tls: watchTls(config, watched, log),
  };
}

function watchTls({ files, tls }: RedisConfig, watched: WatchedFiles, log: Log): RedisTls {
  const ca = watchSetting(
    'redis_ca',
    files.ca,
    { watched, log },
    {
      describe: (certificates) => ({ summary: certificates.map(({ subject }) => `"${subject}"`).join(', ') }),
      isSame: areSameCertificates,
      notAfter: firstExpiry,
    },
  );
  const own = watchSetting(
    'redis_certificate',
    files.certificate,
    { watched, log },
    {
      describe: ({ chain: [{ subject }] }) => ({ fields: { subject }, summary: `"${subject}"` }),
      isSame: isSameKeyPair,
      notAfter: ({ chain }) => firstExpiry(chain),
    },
  );
  // Read once for each connection, certificate and key in one turn of the event loop.
  return {
    get ca() {
      return ca ? ca.current.map(({ pem }) => pem).join('') : tls.ca;
    },
    get cert() {
      return own ? own.current.cert : tls.cert;
    },
    get key() {
      return own ? own.current.key : tls.key;
    },
  };
}

function firstExpiry(certificates: readonly FiledCertificate[]): number {
  return Math.min(...certificates.map(({ x509 }) => x509.validToDate.getTime()));
}

/** Records, keys and revocations of another Redis are others: a server cannot move while it runs. */
function withSameAddress(
  files: NonNullable<RedisFiles['url']>,
  configured: RedisAddress,
): NonNullable<RedisFiles['url']> {
  const place = (address: RedisAddress) => ({ ...address, credentials: {} });
  return {
    ...files,
    load: (warn) => {
      const address = files.load(warn);
      if (isDeepStrictEqual(place(address), place(configured))) return address;
      throw new OperatorError([
        'COUNTERSIGN_REDIS_URL_FILE: names another Redis than on startup: restart the server, or change user and password only',
      ]);
    },
  };
}
