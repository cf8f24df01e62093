import type { CacheSettings } from '../clients/registry/redis-registry.ts';
import { durationUpTo, integerUpTo, parseDuration } from './parsers.ts';
import { defineSettings } from './setting.ts';
import type { Settings } from './settings.ts';

const MAX_TIMEOUT_MILLISECONDS = 10_000;
const MAX_AGE_LIMIT_MILLISECONDS = 7 * 86_400_000;
/** A client that does not exist now may be created any moment. */
const NEGATIVE_TTL_MILLISECONDS = 2_000;
/** The cache allocates its entries up front. */
const MAX_ENTRIES = 1_000_000;

export const cacheSettings = defineSettings('Redis', {
  REDIS_TIMEOUT: {
    parse: durationUpTo(MAX_TIMEOUT_MILLISECONDS),
    description: 'how long a request waits for Redis',
    details: 'With the default, an unknown client gets a response within 100 ms, whatever Redis does.',
    default: '80ms',
    onlyWith: ['REDIS_URL'],
  },
  CLIENT_CACHE_ENTRIES: {
    parse: integerUpTo(MAX_ENTRIES),
    description: 'maximum number of cached clients',
    default: '100000',
    onlyWith: ['REDIS_URL'],
  },
  CLIENT_CACHE_BYTES: {
    parse: parseBytes,
    description: 'approximate maximum memory of the client cache',
    default: '64MiB',
    onlyWith: ['REDIS_URL'],
  },
  CLIENT_CACHE_REFRESH_AFTER: {
    parse: parseDuration,
    description: 'age at which a cached client in use is read from Redis again',
    default: '60s',
    onlyWith: ['REDIS_URL'],
    formerNames: ['CLIENT_CACHE_REFRESH'],
  },
  CLIENT_CACHE_MAX_AGE: {
    parse: durationUpTo(MAX_AGE_LIMIT_MILLISECONDS),
    description: 'age up to which a cached client is served while Redis is unreachable',
    default: '10m',
    onlyWith: ['REDIS_URL'],
    formerNames: ['CLIENT_CACHE_LIFETIME'],
  },
});
const { CLIENT_CACHE_REFRESH_AFTER, CLIENT_CACHE_MAX_AGE } = cacheSettings;

/** Reads the bounds of the client cache. Problems are collected in `settings`. */
export function readCacheSettings(settings: Settings): CacheSettings {
  const bounds = {
    entries: settings.read(cacheSettings.CLIENT_CACHE_ENTRIES),
    bytes: settings.read(cacheSettings.CLIENT_CACHE_BYTES),
  };
  const maxAge = settings.read(CLIENT_CACHE_MAX_AGE);
  const refreshAfter = settings.read(CLIENT_CACHE_REFRESH_AFTER);
  const loadTimeoutMilliseconds = settings.read(cacheSettings.REDIS_TIMEOUT);
  if (refreshAfter > maxAge && settings.has(CLIENT_CACHE_REFRESH_AFTER)) {
    settings.reject(CLIENT_CACHE_REFRESH_AFTER, 'is longer than COUNTERSIGN_CLIENT_CACHE_MAX_AGE: shorten it');
  }
  return {
    bounds,
    lifetimes: {
      refreshAfter: Math.min(refreshAfter, maxAge),
      maxAge,
      negativeTtl: NEGATIVE_TTL_MILLISECONDS,
    },
    loadTimeoutMilliseconds,
  };
}

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** A smaller cache would evict clients even in a small deployment. */
const MIN_BYTES = 256 * 1024;

function parseBytes(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})(KiB|MiB|GiB)$/.exec(text) ?? [];
  if (count === undefined) throw new RangeError(`"${text}" is not a size such as 512KiB, 64MiB or 1GiB`);
  const bytes = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (bytes >= MIN_BYTES) return bytes;
  throw new RangeError(`"${text}" must be at least ${MIN_BYTES / 1024}KiB`);
}
