import { Redis, type RedisOptions } from 'ioredis';

/** One try for a connection, and 300 ms for a command: problems show at once. */
export function impatientRedis(url: string, options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
  const client = new Redis(url, { retryStrategy: () => null, commandTimeout: 300, ...options });
  client.on('error', () => {}); // The commands reject as well.
  return client;
}
