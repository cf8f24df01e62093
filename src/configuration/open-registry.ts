import type { Client } from '../clients/client.ts';
import { type ClientsFile, ClientsFileError, describeFinding, readClientsFile } from '../clients/clients-file.ts';
import type { RegistrationPolicy } from '../clients/findings.ts';
import { createMemoryRegistry } from '../clients/memory-registry.ts';
import { createRedisRegistry } from '../clients/redis-registry.ts';
import type { Registry } from '../clients/registry.ts';
import type { Log } from '../operations/log.ts';
import { StartupError } from '../operations/startup-error.ts';
import type { Terminator } from '../terminator/terminator.ts';
import type { ClientsConfig } from './clients-config.ts';
import { registryEvents } from './registry-events.ts';

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
  if (clients.store === 'memory') return readMemoryRegistry(clients.file, config, log);
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

function readMemoryRegistry(file: string, { policy, terminator }: RegistryConfig, log: Log): Registry {
  const { clients, faults, warnings } = readOrExplain(file, policy);
  for (const warning of warnings) log.warn({ event: 'client_warning', ...warning }, describeFinding(file, warning));
  const problems = faults.map((fault) => describeFinding(file, fault));
  problems.push(...unverifiable(clients, terminator));
  if (problems.length > 0) throw new StartupError(problems);
  return createMemoryRegistry(clients, file);
}

/** Why clients that are known by a name could never authenticate; one of each kind is enough to say. */
function unverifiable(clients: readonly Client[], { verification }: Terminator): string[] {
  const named = clients.flatMap(({ clientId, authentication }) =>
    authentication.method === 'tls_client_auth' ? [{ clientId, ...authentication }] : [],
  );
  const [first] = named;
  if (first && verification.by === 'nobody') {
    return [`client ${first.clientId} uses tls_client_auth, and nobody verifies its chain: ${verification.mend}`];
  }
  const pinned = named.find(({ authorities }) => authorities.length > 0);
  if (!pinned || verification.by === 'countersign') return [];
  return [
    `client ${pinned.clientId} has tls_client_auth_ca, which needs COUNTERSIGN_CLIENT_CA_FILE: no path is known otherwise`,
  ];
}

function readOrExplain(file: string, policy: RegistrationPolicy): ClientsFile {
  try {
    return readClientsFile(file, policy, Date.now());
  } catch (error) {
    if (error instanceof ClientsFileError) throw new StartupError([`COUNTERSIGN_CLIENTS_FILE: ${error.message}`]);
    throw error;
  }
}
