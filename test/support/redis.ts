import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject } from 'vitest';

export interface RedisConnection {
  readonly client: Redis;
  readonly close: () => Promise<void>;
}

/** The redis-server that all test files share: write only below a `keyPrefix()`, and never flush it. */
export function redisUrl(): string {
  return inject('redisUrl');
}

/** Returns a unique key prefix; call it once per test file or test. */
export function keyPrefix(): string {
  return `test:${randomUUID()}:`;
}

export function connectRedis(url: string = redisUrl()): RedisConnection {
  const client = new Redis(url);
  return { client, close: async () => void (await client.quit()) };
}
