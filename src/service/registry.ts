import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { createMemoryRegistry, indexClients } from '../clients/registry/memory-registry.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { registryEvents } from '../clients/registry/registry-telemetry.ts';
import type { Log } from '../observability/log.ts';
import type { AnnouncedKey } from '../redis/invalidation/announced-key.ts';
import type { Suspicion } from '../redis/suspicion.ts';
import type { ClientsConfig } from '../settings/clients.ts';
import type { Terminator } from '../terminator/terminator.ts';
import type { LiveTrustStore } from './client-ca.ts';
import type { WatchedFiles } from './watched-files.ts';

interface RegistryConfig {
  readonly clients: ClientsConfig;
  readonly policy: RegistrationPolicy;
  readonly terminator: Terminator;
  /** Undefined if there is no edge listener. */
  readonly edge?: object | undefined;
}

interface RegistryOptions {
  readonly watched: WatchedFiles;
  /** Undefined if it does not change. */
  readonly trust?: LiveTrustStore | undefined;
  readonly log: Log;
  /** Keys of others, whose changes the registry announces. */
  readonly announced?: readonly AnnouncedKey[];
  /** Raised by the invalidation feed of the registry. */
  readonly suspicion?: Suspicion | undefined;
}

/**
 * Opens the configured client store. Only its code is loaded: ioredis and the YAML parser are large.
 *
 * @throws {OperatorError} with every problem of a clients file
 */
export async function openRegistry(
  config: RegistryConfig,
  { watched, trust, log, announced = [], suspicion }: RegistryOptions,
): Promise<Registry> {
  const { clients, policy } = config;
  if (clients.store === 'memory') {
    const { watchClientsFile } = await import('../clients/files/watch-clients-file.ts');
    // Indexed with the file: the checks behind a reload would otherwise wait for it.
    const prepare = config.edge && indexClients;
    const records = await watchClientsFile(clients, config, log, { prepare, refreshTrust: trust?.refresh });
    watched.add(records.watched);
    return createMemoryRegistry(records, clients.file);
  }
  const { createRedisRegistry } = await import('../clients/registry/redis-registry.ts');
  const { address, tls, keyPrefix, cache } = clients;
  return createRedisRegistry({
    access: { address, tls },
    keyPrefix,
    cache,
    policy,
    servesEdge: config.edge !== undefined,
    now: Date.now,
    events: registryEvents(log),
    announced,
    suspicion,
  });
}
