import type { Log } from '../observability/log.ts';
import type { ClientsConfig } from '../settings/clients.ts';
import type { ObservedRevocations } from '../tokens/revocation/redis-revocations.ts';
import { revocationEvents } from '../tokens/revocation/revocation-telemetry.ts';
import type { TokenStore } from '../tokens/token-store.ts';

/** Follows the revocations in Redis; undefined without Redis. Close the store separately. */
export async function openRevocations(
  store: TokenStore | undefined,
  clients: ClientsConfig,
  log: Log,
): Promise<ObservedRevocations | undefined> {
  if (!store || clients.store === 'memory') return undefined;
  const { lifetimes, loadTimeoutMilliseconds } = clients.cache;
  const { createRedisRevocations } = await import('../tokens/revocation/redis-revocations.ts');
  return createRedisRevocations({
    store,
    maxAge: lifetimes.maxAge,
    lookupTimeout: loadTimeoutMilliseconds,
    now: Date.now,
    events: revocationEvents(log),
  });
}
