import type { Client } from './client.ts';
import type { Registry } from './registry.ts';

/** A registry over a fixed set of clients. */
export function createMemoryRegistry(clients: readonly Client[], source: string): Registry {
  const byId = new Map(clients.map((client) => [client.clientId, client]));
  return {
    description: `memory, ${byId.size} client${byId.size === 1 ? '' : 's'} from ${source}`,
    find: async (clientId) => byId.get(clientId),
    unready: undefined,
    remote: undefined,
    close: async () => {},
  };
}
