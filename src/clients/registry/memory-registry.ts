import type { Resource } from '../../resources/resource.ts';
import type { Client } from '../client.ts';
import { ClientsByIdentity } from './clients-by-identity.ts';
import type { Registry } from './registry.ts';

/** Records in memory, swapped as a whole. */
export interface RecordsInMemory {
  /** The same object until the records are swapped. */
  current(): Records;
  /** Stops swapping. */
  stop(): void;
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
  const indexOf = indexOnce();
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
    findByCertificate: async (certificate) => (await indexOf(current())).find(certificate),
    findResource: async (name) => current().resources.get(name),
    notReadyReason: undefined,
    remote: undefined,
    close: async () => stop(),
  };
}

/** Indexes each version of the records when the first certificate is looked up in it: without an edge, none is. */
function indexOnce(): (records: Records) => Promise<ClientsByIdentity> {
  let indexed: { readonly records: Records; readonly index: Promise<ClientsByIdentity> } | undefined;
  return (records) => {
    if (indexed?.records !== records) indexed = { records, index: ClientsByIdentity.index(records.clients.values()) };
    return indexed.index;
  };
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
