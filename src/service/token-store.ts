import type { ConnectionEvents } from '../redis/guarded-connection.ts';
import { AnnouncedKey } from '../redis/invalidation/announced-key.ts';
import type { Suspicion } from '../redis/suspicion.ts';
import type { RedisConfig } from '../settings/redis.ts';
import type { AnnouncedKeys, TokenStore } from '../tokens/token-store.ts';

/** The registry's connection already logs that Redis is unreachable, and which sentinel refuses. */
const silent: ConnectionEvents = { onConnection: () => {}, onSentinelRefusal: () => {} };

/**
 * Connects to the Redis of the keyring and of token revocations. Resolves after the first attempt, whether or not that
 * succeeds, and keeps trying. Only loads ioredis when called, which is large. Close it with `connection.close()`.
 *
 * @param suspicion raised by the invalidation feed of the registry, whose connection is lost together with this one
 */
export async function openTokenStore(
  { address, tls, keyPrefix }: Omit<RedisConfig, 'files'>,
  announced?: AnnouncedKeys,
  suspicion?: Suspicion,
): Promise<TokenStore> {
  const { openGuardedConnection } = await import('../redis/guarded-connection.ts');
  const listeners: (() => void)[] = [];
  const onConnected = () => {
    for (const listener of listeners) listener();
  };
  const opened = await openGuardedConnection({ address, tls }, silent, onConnected, suspicion);
  if (announced) {
    // The invalidation feed of the registry may be that of another server.
    const { serverOf } = await import('../redis/invalidation/server-identity.ts');
    const server = serverOf(opened.connection.redis);
    for (const key of Object.values(announced)) key.readFrom(server);
  }
  return { ...opened, keyPrefix, announced, onReconnected: (listener) => void listeners.push(listener) };
}

/** The keys that are polled there, whose changes the registry's connection announces. */
export function announcedKeys(keyPrefix: string): AnnouncedKeys {
  return { revocations: new AnnouncedKey(`${keyPrefix}revocations`), keyring: new AnnouncedKey(`${keyPrefix}keyring`) };
}
