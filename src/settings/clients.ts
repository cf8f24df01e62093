import type { NamedFile } from '../clients/files/watch-clients-file.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import type { CacheSettings } from '../clients/registry/redis-registry.ts';
import type { ClientCa } from './client-ca.ts';
import { oneOf, parseDuration } from './parsers.ts';
import { type RedisConfig, readRedisConfig, redisSettings } from './redis.ts';
import type { Settings } from './settings.ts';

/** Where the client records are. */
export type ClientsConfig =
  | ({ readonly store: 'memory' } & NamedFile)
  | ({ readonly store: 'redis'; readonly cache: CacheSettings } & RedisConfig);

/** Reads that; undefined where it is not set. Faults are collected in the settings. */
export function readClientsConfig(settings: Settings): ClientsConfig | undefined {
  const redis = readRedisConfig(settings);
  const cache = readCacheSettings(settings);
  const file = settings.optional('CLIENTS_FILE', (text) => text);
  if (redis !== undefined && file !== undefined) {
    settings.reject('CLIENTS_FILE', 'stands beside COUNTERSIGN_REDIS_URL; clients come from one of the two');
  }
  if (redis !== undefined) return { store: 'redis', cache, ...redis };
  if (file !== undefined) {
    warnAboutUnused(settings);
    return { store: 'memory', file, setting: 'COUNTERSIGN_CLIENTS_FILE' };
  }
  if (!settings.hasSecret('REDIS_URL'))
    settings.missing('CLIENTS_FILE', 'set it, or COUNTERSIGN_REDIS_URL: without, there are no clients');
  return undefined;
}

function warnAboutUnused(settings: Settings): void {
  for (const name of [...redisSettings, ...cacheSettings].filter((each) => settings.has(each))) {
    settings.warn(name, 'has no effect: the clients are those of COUNTERSIGN_CLIENTS_FILE, without Redis');
  }
}

const DEFAULT_ENTRIES = 100_000;
const DEFAULT_BYTES = 64 * 1024 * 1024;
const DEFAULT_SOFT_MILLISECONDS = 60_000;
const DEFAULT_HARD_MILLISECONDS = 10 * 60_000;
/** Whoever is not there may be there soon. */
const ABSENT_MILLISECONDS = 2_000;
/** So that who is not known has an answer within 100 ms, whatever Redis does. */
const DEFAULT_WAIT_MILLISECONDS = 80;
const MAX_WAIT_MILLISECONDS = 10_000;
const MAX_HARD_MILLISECONDS = 7 * 86_400_000;

/** What has a meaning only with `COUNTERSIGN_REDIS_URL`. */
export const cacheSettings = [
  'CLIENT_CACHE_ENTRIES',
  'CLIENT_CACHE_BYTES',
  'CLIENT_CACHE_MAX_AGE',
  'CLIENT_CACHE_REFRESH_AFTER',
  'REDIS_TIMEOUT',
] as const;

/** Reads what is remembered of the clients in Redis. Faults are collected in the settings. */
export function readCacheSettings(settings: Settings): CacheSettings {
  const entries = settings.optional('CLIENT_CACHE_ENTRIES', parseEntries) ?? DEFAULT_ENTRIES;
  const bytes = settings.optional('CLIENT_CACHE_BYTES', parseBytes) ?? DEFAULT_BYTES;
  const hard = settings.optional('CLIENT_CACHE_MAX_AGE', upTo(MAX_HARD_MILLISECONDS)) ?? DEFAULT_HARD_MILLISECONDS;
  const soft =
    settings.optional('CLIENT_CACHE_REFRESH_AFTER', parseDuration) ?? Math.min(DEFAULT_SOFT_MILLISECONDS, hard);
  const loadTimeoutMilliseconds =
    settings.optional('REDIS_TIMEOUT', upTo(MAX_WAIT_MILLISECONDS)) ?? DEFAULT_WAIT_MILLISECONDS;
  if (soft > hard) settings.reject('CLIENT_CACHE_REFRESH_AFTER', 'is longer than COUNTERSIGN_CLIENT_CACHE_MAX_AGE');
  return {
    bounds: { entries, bytes },
    lifetimes: { refreshAfter: soft, maxAge: hard, negativeTtl: ABSENT_MILLISECONDS },
    loadTimeoutMilliseconds,
  };
}

function upTo(max: number): (text: string) => number {
  return (text) => {
    const milliseconds = parseDuration(text);
    if (milliseconds > 0 && milliseconds <= max) return milliseconds;
    throw new RangeError(`"${text}" must be more than 0 and at most ${max / 1000}s`);
  };
}

/** Room for so many is made at once. */
const MAX_ENTRIES = 1_000_000;

function parseEntries(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text) && Number(text) <= MAX_ENTRIES) return Number(text);
  throw new RangeError(`"${text}" is not a number from 1 to ${MAX_ENTRIES}`);
}

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** With less, the usual clients of a small deployment would push each other out. */
const MIN_BYTES = 256 * 1024;

function parseBytes(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})(KiB|MiB|GiB)$/.exec(text) ?? [];
  if (count === undefined) throw new RangeError(`"${text}" is not a size such as 512KiB, 64MiB or 1GiB`);
  const bytes = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (bytes >= MIN_BYTES) return bytes;
  throw new RangeError(`"${text}" must be at least ${MIN_BYTES / 1024}KiB`);
}

/** Reads what records may say; faults are collected in the settings. */
export function readRegistrationPolicy(settings: Settings, clientCa: ClientCa | undefined): RegistrationPolicy {
  return {
    allowSha1Thumbprints: settings.optional('ALLOW_SHA1_THUMBPRINTS', parseBoolean) ?? false,
    requireCaPin: settings.optional('REQUIRE_CA_PIN', parseBoolean) ?? false,
    anchors: clientCa?.store.anchors ?? [],
  };
}

function parseBoolean(text: string): boolean {
  return oneOf(['true', 'false'])(text) === 'true';
}
