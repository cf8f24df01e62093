import type { Settings } from '../operations/settings.ts';
import { parseRedisUrl, type RedisAddress } from '../redis/redis-url.ts';

/** Where the client records are. */
export type ClientsConfig =
  | { readonly store: 'memory'; readonly file: string }
  | { readonly store: 'redis'; readonly address: RedisAddress; readonly keyPrefix: string };

/** Reads that; undefined where it is not set. Faults are collected in the settings. */
export function readClientsConfig(settings: Settings): ClientsConfig | undefined {
  const address = settings.secret('REDIS_URL', parseRedisUrl);
  const keyPrefix = settings.optional('REDIS_KEY_PREFIX', parseKeyPrefix) ?? 'countersign:';
  const file = settings.optional('CLIENTS_FILE', (text) => text);
  if (address !== undefined && file !== undefined) {
    settings.fault('CLIENTS_FILE', 'stands beside COUNTERSIGN_REDIS_URL; clients come from one of the two');
  }
  if (address !== undefined) return { store: 'redis', address, keyPrefix };
  if (file !== undefined) return { store: 'memory', file };
  if (!settings.hasSecret('REDIS_URL'))
    settings.missing('CLIENTS_FILE', 'set it, or COUNTERSIGN_REDIS_URL: without, there are no clients');
  return undefined;
}

function parseKeyPrefix(text: string): string {
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return text;
  throw new RangeError('must be 1 to 64 printable ASCII characters without spaces');
}
