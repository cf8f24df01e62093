import { Redis } from 'ioredis';
import { ApplyLock } from '../../src/administration/apply-lock.ts';
import { openRecordStore, type RecordStore } from '../../src/administration/record-store.ts';
import { registryKeys } from '../../src/clients/registry/registry.ts';
import { openRedis } from '../../src/redis/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { redisUrl } from './redis.ts';

/** The store of `countersign clients`, and a separate connection to a single server. */
export interface OpenedStore {
  readonly store: RecordStore;
  /** One for each run of apply. */
  readonly newLock: () => ApplyLock;
  /** For a single server only. */
  readonly redis: Redis;
  /** The full key of a client's record. */
  readonly key: (clientId: string) => string;
  readonly close: () => void;
}

export async function openStore(prefix: string, url = redisUrl()): Promise<OpenedStore> {
  const address = parseRedisUrl(url);
  const options = { address, tls: {}, commandTimeoutMilliseconds: 5_000, isBulk: true, onStatusChange: () => {} };
  const connection = await openRedis(options);
  const redis = new Redis(url, { lazyConnect: true });
  const keys = registryKeys(prefix);
  return {
    store: openRecordStore(connection, keys, address.description),
    newLock: () => new ApplyLock(connection, keys.applyLock, address.description),
    redis,
    key: (clientId) => `${prefix}client:${clientId}`,
    close: () => {
      connection.close();
      redis.disconnect();
    },
  };
}
