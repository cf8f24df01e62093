import type { Log } from '../observability/log.ts';
import { StartupError } from '../operator-error.ts';
import { openRevocation, type Revocation, type RevocationConfig } from '../pki/crl/crl-checker.ts';
import { createOwnCrls, createSharedCrls, type SharedCrls } from '../pki/crl/shared-crls.ts';
import type { TrustStore } from '../pki/path/trust-store.ts';
import { openRedis } from '../redis/connection.ts';
import type { ClientsConfig } from '../settings/clients.ts';

/** A CRL of a million entries takes its time. */
const COMMAND_MILLISECONDS = 10_000;

/**
 * Opens what is configured about CRLs; undefined where nothing is.
 *
 * @throws {StartupError} when a file cannot be used
 */
export async function openConfiguredRevocation(
  { revocation, clients }: { readonly revocation: RevocationConfig | undefined; readonly clients: ClientsConfig },
  currentTrust: () => TrustStore,
  log: Log,
): Promise<Revocation | undefined> {
  if (!revocation) return undefined;
  const shared = revocation.urls.length > 0 ? await openSharedCrls(clients) : createOwnCrls();
  try {
    return await openRevocation({ config: revocation, currentTrust, shared, log, now: Date.now });
  } catch (error) {
    shared.close();
    throw new StartupError([`COUNTERSIGN_CLIENT_CRLS: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** A connection of its own: what is transferred must not delay the look-up of a client. */
async function openSharedCrls(clients: ClientsConfig): Promise<SharedCrls> {
  if (clients.store === 'memory') return createOwnCrls();
  // That Redis is away, the connection for the clients has said already.
  const options = { ...clients, commandMilliseconds: COMMAND_MILLISECONDS, onConnection: () => {} };
  return createSharedCrls(await openRedis(options), clients.keyPrefix);
}
