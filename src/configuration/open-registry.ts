import type { RegistrationPolicy } from '../clients/findings.ts';
import { createMemoryRegistry } from '../clients/memory-registry.ts';
import { createRedisRegistry } from '../clients/redis-registry.ts';
import type { Registry } from '../clients/registry.ts';
import type { Log } from '../operations/log.ts';
import type { Terminator } from '../terminator/terminator.ts';
import type { ClientsConfig } from './clients-config.ts';
import { registryEvents } from './registry-events.ts';
import { watchClientsFile } from './watch-clients-file.ts';

interface RegistryConfig {
  readonly clients: ClientsConfig;
  readonly policy: RegistrationPolicy;
  readonly terminator: Terminator;
}

/**
 * Opens the store of clients that is configured.
 *
 * @throws {StartupError} with every fault of a clients file
 */
export async function openRegistry(config: RegistryConfig, log: Log): Promise<Registry> {
  const { clients, policy } = config;
  if (clients.store === 'memory')
    return createMemoryRegistry(await watchClientsFile(clients, config, log), clients.file);
  const { address, tls, keyPrefix, cache } = clients;
  return createRedisRegistry({
    access: { address, tls },
    keyPrefix,
    cache,
    policy,
    now: Date.now,
    events: registryEvents(log),
  });
}
