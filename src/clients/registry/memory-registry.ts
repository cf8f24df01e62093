import type { Client } from '../client.ts';
import type { Registry } from './registry.ts';

/** Clients in memory, by `client_id`. The map is swapped as a whole, never modified. */
export interface ClientsInMemory {
  current(): ReadonlyMap<string, Client>;
  /** Stops swapping. */
  stop(): void;
}

/** @param source of the clients, for the description */
export function createMemoryRegistry({ current, stop }: ClientsInMemory, source: string): Registry {
  return {
    get description() {
      const { size } = current();
      return `memory, ${size} client${size === 1 ? '' : 's'} from ${source}`;
    },
    find: async (clientId) => current().get(clientId),
    findByCertificate: async () => [],
    findResource: async () => undefined,
    notReadyReason: undefined,
    remote: undefined,
    close: async () => stop(),
  };
}
