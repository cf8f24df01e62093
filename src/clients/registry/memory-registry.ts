import { canonicalUri } from '../../oauth/canonical-uri.ts';
import type { Resource } from '../../resources/resource.ts';
import { counted } from '../../text.ts';
import type { Client } from '../client.ts';
import { ClientsByIdentity } from './clients-by-identity.ts';
import type { Registry } from './registry.ts';

/** Records in memory, swapped as a whole. */
export interface RecordsInMemory {
  /** The same object until the records are swapped. */
  current(): Records;
  /** Stops swapping. */
  stop(): void | Promise<void>;
}

/** The records of one version of a file. Never modified. */
export interface Records {
  /** By `client_id`. */
  readonly clients: ReadonlyMap<string, Client>;
  /** By name. */
  readonly resources: ReadonlyMap<string, Resource>;
}

/** @param source of the records, for the description */
export function createMemoryRegistry({ current, stop }: RecordsInMemory, source: string): Registry {
  return {
    get description() {
      const { clients, resources } = current();
      const counts = [
        counted(clients.size, 'client'),
        ...(resources.size > 0 ? [counted(resources.size, 'resource')] : []),
      ];
      return `memory, ${counts.join(' and ')} from ${source}`;
    },
    find: async (clientId) => current().clients.get(clientId),
    findByCertificate: async (certificate) => (await indexClients(current())).find(certificate),
    findResource: async (name) => current().resources.get(name),
    findResourcesByAudience: async (audience) => resourcesByAudience(current()).get(canonicalUri(audience)) ?? [],
    notReadyReason: undefined,
    remote: undefined,
    close: async () => stop(),
  };
}

const indexes = new WeakMap<Records, Promise<ClientsByIdentity>>();

/** Indexes the clients of one version of the records by their identities, once. Without an edge, nothing needs that. */
export function indexClients(records: Records): Promise<ClientsByIdentity> {
  const known = indexes.get(records);
  if (known) return known;
  const index = ClientsByIdentity.index(records.clients.values());
  indexes.set(records, index);
  return index;
}

const audiences = new WeakMap<Records, ReadonlyMap<string, readonly Resource[]>>();

/** The resources of one version of the records, by the canonical `aud` of their tokens. */
function resourcesByAudience(records: Records): ReadonlyMap<string, readonly Resource[]> {
  const known = audiences.get(records);
  if (known) return known;
  const sorted = [...records.resources.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  const byAudience = Map.groupBy(sorted, ({ audience }) => canonicalUri(audience));
  audiences.set(records, byAudience);
  return byAudience;
}
