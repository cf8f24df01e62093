import type { Client } from '../../src/clients/client.ts';
import { findSharedAmong, type SharingContext } from '../../src/clients/sharing/find-shared-identities.ts';
import type { SharedIdentity } from '../../src/clients/sharing/shared-identity.ts';

/** The identities that some clients share. */
export async function sharedAmong(clients: readonly Client[], context: SharingContext): Promise<SharedIdentity[]> {
  const found: SharedIdentity[] = [];
  const owners = clients.map((client, index) => ({ client, location: `clients.yaml:${index + 1}` }));
  for await (const shared of findSharedAmong(owners, context)) found.push(shared);
  return found;
}
