import { Redis, type RedisOptions } from 'ioredis';

/** Connects once, so that problems surface at once. */
export function impatientRedis(url: string, options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
  const client = new Redis(url, { retryStrategy: () => null, commandTimeout: 30_000, ...options });
  client.on('error', () => {}); // The commands reject as well.
  return client;
}
