import type { NamedFile } from '../clients/files/watch-clients-file.ts';
import type { CacheSettings } from '../clients/registry/redis-registry.ts';
import type { Settings } from '../operations/settings.ts';
import { cacheSettings, readCacheSettings } from './cache-settings.ts';
import { type RedisConfig, readRedisConfig, redisSettings } from './redis-settings.ts';

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
    settings.fault('CLIENTS_FILE', 'stands beside COUNTERSIGN_REDIS_URL; clients come from one of the two');
  }
  if (redis !== undefined) return { store: 'redis', cache, ...redis };
  if (file !== undefined) {
    warnOfNeedless(settings);
    return { store: 'memory', file, setting: 'COUNTERSIGN_CLIENTS_FILE' };
  }
  if (!settings.hasSecret('REDIS_URL'))
    settings.missing('CLIENTS_FILE', 'set it, or COUNTERSIGN_REDIS_URL: without, there are no clients');
  return undefined;
}

function warnOfNeedless(settings: Settings): void {
  for (const name of [...redisSettings, ...cacheSettings].filter((each) => settings.has(each))) {
    settings.warn(name, 'has no effect: the clients are those of COUNTERSIGN_CLIENTS_FILE, without Redis');
  }
}
