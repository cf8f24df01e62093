import { Redis } from 'ioredis';
import type { RedisPki } from './redis-pki.ts';

export interface RedisCredentials {
  /** Default: the user `default`. */
  readonly username?: string;
  readonly password?: string;
  /** If it requires TLS. */
  readonly tls?: RedisPki['client'];
}

/**
 * Sends one command on a new connection to a Redis or a sentinel on loopback.
 *
 * @throws {Error} if nothing listens, on an error reply, or without a reply within three seconds
 */
export async function sendRedisCommand(
  port: number,
  [command, ...args]: readonly [string, ...string[]],
  credentials: RedisCredentials = {},
): Promise<unknown> {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    ...credentials,
    protocol: 2,
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: 3_000,
    commandTimeout: 3_000,
  });
  client.on('error', () => {}); // The command rejects as well.
  try {
    await client.connect();
    return await client.call(command, args);
  } finally {
    client.disconnect();
  }
}
