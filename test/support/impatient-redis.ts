import { Redis, type RedisOptions } from 'ioredis';

/** Connects once, and fails commands after 300 ms, so that problems surface at once. */
export function impatientRedis(url: string, options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
  const client = new Redis(url, { retryStrategy: () => null, commandTimeout: 300, ...options });
  client.on('error', () => {}); // The commands reject as well.
  return client;
}
