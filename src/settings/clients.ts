import type { ConfiguredFile } from '../clients/files/load-clients-file.ts';
import type { CacheSettings } from '../clients/registry/redis-registry.ts';
import { readCacheSettings } from './client-cache.ts';
import { plainText } from './parsers.ts';
import { type RedisConfig, readRedisConfig, redisSettings } from './redis.ts';
import { defineSettings } from './setting.ts';
import { PREFIX, type Settings } from './settings.ts';

export const clientsFileSettings = defineSettings('Clients', {
  CLIENTS_FILE: {
    parse: plainText,
    description: 'file or folder with the records of clients and resources, YAML or JSON, instead of Redis',
    details: 'Watched for changes. See [clients.md](clients.md#files).',
    requiredUnless: ['REDIS_URL'],
  },
});
const { CLIENTS_FILE } = clientsFileSettings;

/** Where the records are. */
export type ClientsConfig =
  | ({ readonly store: 'memory' } & ConfiguredFile)
  | ({ readonly store: 'redis'; readonly cache: CacheSettings } & RedisConfig);

/** Reads where the records are; undefined if nowhere. Problems are collected in `settings`. */
export function readClientsConfig(settings: Settings): ClientsConfig | undefined {
  const redis = readRedisConfig(settings);
  const cache = readCacheSettings(settings);
  const file = settings.read(CLIENTS_FILE);
  if (redis !== undefined && file !== undefined) {
    settings.reject(CLIENTS_FILE, 'is set together with COUNTERSIGN_REDIS_URL: remove one of the two');
  }
  if (redis !== undefined) return { store: 'redis', cache, ...redis };
  if (file !== undefined) return { store: 'memory', file, setting: PREFIX + CLIENTS_FILE.name };
  if (!settings.has(redisSettings.REDIS_URL)) {
    settings.reportMissing(
      CLIENTS_FILE,
      'set it to the file or folder with the records of clients and resources, or set COUNTERSIGN_REDIS_URL',
    );
  }
  return undefined;
}

/** Reads the connection that the commands use which manage records, in Redis only. */
export function readRequiredRedisConfig(settings: Settings): RedisConfig | undefined {
  const redis = readRedisConfig(settings);
  if (!settings.has(redisSettings.REDIS_URL)) settings.reportMissing(redisSettings.REDIS_URL, redisFix(settings));
  return redis;
}

function redisFix(settings: Settings): string {
  const file = settings.read(CLIENTS_FILE);
  if (file === undefined) return 'set it to the URL of the Redis that holds the records, or pass --redis-url';
  return `this command manages records in Redis, but COUNTERSIGN_CLIENTS_FILE is set: edit ${file} instead`;
}
