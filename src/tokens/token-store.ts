import type { GuardedConnection } from '../redis/guarded-connection.ts';
import type { AnnouncedKey } from '../redis/invalidation/announced-key.ts';

/** Need not be read while their changes are announced. */
export interface AnnouncedKeys {
  readonly revocations: AnnouncedKey;
  readonly keyring: AnnouncedKey;
}

/**
 * The Redis of the keyring and of token revocations, over a connection of its own: neither delays lookups of clients, and
 * a million revocations do not delay either.
 */
export interface TokenStore extends GuardedConnection {
  /** Of all keys; `countersign:` by default. */
  readonly keyPrefix: string;
  /** Undefined if nothing announces changes. */
  readonly announced?: AnnouncedKeys | undefined;
  /** Calls back after each further connection, which may be to another server, with other data and another ACL. */
  onReconnected(listener: () => void): void;
}
