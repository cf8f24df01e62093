import { fileErrorReason } from '../errors/file-error.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { Log } from '../observability/log.ts';
import { type CrlCache, createLocalCrlCache } from '../pki/crl/crl-cache.ts';
import { type CrlChecker, type CrlConfig, openCrlChecker } from '../pki/crl/crl-checker.ts';
import type { ClientsConfig } from '../settings/clients.ts';
import type { LiveTrustStore } from './client-ca.ts';
import type { WatchedFiles } from './watched-files.ts';

/** A CRL with a million entries has about 40 MiB. */
const COMMAND_MILLISECONDS = 10_000;

/**
 * Opens the configured CRL sources; undefined if there are none.
 *
 * @throws {OperatorError} when a file cannot be read or contains an unusable CRL
 */
export async function openCrls(
  { crl: config, clients }: { readonly crl: CrlConfig | undefined; readonly clients: ClientsConfig },
  trust: LiveTrustStore,
  watched: WatchedFiles,
  log: Log,
): Promise<CrlChecker | undefined> {
  if (!config) return undefined;
  const cache = config.urls.length > 0 ? await openCrlCache(clients, log) : createLocalCrlCache();
  try {
    const checker = await openCrlChecker({
      ...{ config, cache, log, now: Date.now },
      currentTrust: trust.current,
      refreshTrust: trust.refresh,
    });
    if (config.paths.length > 0) watched.add(checker.files);
    return checker;
  } catch (error) {
    cache.close();
    throw new OperatorError([`COUNTERSIGN_CLIENT_CRLS: ${fileErrorReason(error)}`]);
  }
}

/** Uses a separate connection, so that transfers of CRLs do not delay client lookups. */
async function openCrlCache(clients: ClientsConfig, log: Log): Promise<CrlCache> {
  if (clients.store === 'memory') return createLocalCrlCache();
  // The connection for client records already logs when Redis is unreachable.
  const options = { ...clients, commandTimeoutMilliseconds: COMMAND_MILLISECONDS, onStatusChange: () => {} };
  const refused = new Set<string>();
  const onRefused = (reason: string) => {
    if (refused.has(reason)) return;
    refused.add(reason);
    log.warn(
      { event: 'crl_cache_refused', reason },
      `CRLs cannot be shared through Redis, so each replica fetches them: ${reason}`,
    );
  };
  const [{ openRedis }, { createRedisCrlCache }] = await Promise.all([
    import('../redis/connection.ts'),
    import('../pki/crl/redis-crl-cache.ts'),
  ]);
  return createRedisCrlCache(await openRedis(options), clients.keyPrefix, onRefused);
}
