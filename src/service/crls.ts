import type { Log } from '../observability/log.ts';
import { OperatorError } from '../operator-error.ts';
import { type CrlCache, createLocalCrlCache, createRedisCrlCache } from '../pki/crl/crl-cache.ts';
import { type CrlChecker, type CrlConfig, openCrlChecker } from '../pki/crl/crl-checker.ts';
import type { TrustStore } from '../pki/path/trust-store.ts';
import { openRedis } from '../redis/connection.ts';
import type { ClientsConfig } from '../settings/clients.ts';

/** A CRL of a million entries takes its time. */
const COMMAND_MILLISECONDS = 10_000;

/**
 * Opens what is configured about CRLs; undefined where nothing is.
 *
 * @throws {OperatorError} when a file cannot be used
 */
export async function openCrls(
  { crl: config, clients }: { readonly crl: CrlConfig | undefined; readonly clients: ClientsConfig },
  currentTrust: () => TrustStore,
  log: Log,
): Promise<CrlChecker | undefined> {
  if (!config) return undefined;
  const shared = config.urls.length > 0 ? await openSharedCrls(clients) : createLocalCrlCache();
  try {
    return await openCrlChecker({ config, currentTrust, cache: shared, log, now: Date.now });
  } catch (error) {
    shared.close();
    throw new OperatorError([`COUNTERSIGN_CLIENT_CRLS: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** A connection of its own: what is transferred must not delay the look-up of a client. */
async function openSharedCrls(clients: ClientsConfig): Promise<CrlCache> {
  if (clients.store === 'memory') return createLocalCrlCache();
  // That Redis is away, the connection for the clients has said already.
  const options = { ...clients, commandTimeoutMilliseconds: COMMAND_MILLISECONDS, onStatusChange: () => {} };
  return createRedisCrlCache(await openRedis(options), clients.keyPrefix);
}
