import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject } from 'vitest';

export interface RedisConnection {
  readonly client: Redis;
  readonly close: () => Promise<void>;
}

/** The redis-server of this run. All test files share it: write under a `keyPrefix()` only, and flush nothing. */
export function redisUrl(): string {
  return inject('redisUrl');
}

/** A prefix that nobody else has; call it once for each test file, or each test. */
export function keyPrefix(): string {
  return `test:${randomUUID()}:`;
}

export function connectRedis(url: string = redisUrl()): RedisConnection {
  const client = new Redis(url);
  return { client, close: async () => void (await client.quit()) };
}
