import type { Client } from '../../src/clients/client.ts';
import { findSharedAmong, type SharingContext } from '../../src/clients/sharing/find-shared-identities.ts';
import type { SharedIdentity } from '../../src/clients/sharing/shared-identity.ts';

/** The identities that some clients share. */
export async function sharedAmong(clients: readonly Client[], context: SharingContext): Promise<SharedIdentity[]> {
  const found: SharedIdentity[] = [];
  for await (const shared of findSharedAmong(clients, () => 'clients.yaml:1', context)) found.push(shared);
  return found;
}
