import type { Client } from '../client.ts';
import type { Registry } from './registry.ts';

/** Clients in memory, by `client_id`, which may be others from one moment to the next: swapped whole, never changed. */
export interface ClientsInMemory {
  current(): ReadonlyMap<string, Client>;
  stop(): void;
}

/** A registry over them. Closing it stops whoever swaps them. */
export function createMemoryRegistry({ current, stop }: ClientsInMemory, source: string): Registry {
  return {
    get description() {
      const { size } = current();
      return `memory, ${size} client${size === 1 ? '' : 's'} from ${source}`;
    },
    find: async (clientId) => current().get(clientId),
    notReadyReason: undefined,
    remote: undefined,
    close: async () => stop(),
  };
}
