import { findSharedAmong, type SharingContext } from '../sharing/find-shared-identities.ts';
import { SharedIdentities } from '../sharing/shared-identity.ts';
import { describeLocation } from './diagnostics.ts';
import type { ClientsFilesResult } from './read-clients-files.ts';

/** Finds the certificates and names that clients of some files share. */
export async function findSharedInFiles(
  { clients, locate }: Pick<ClientsFilesResult, 'clients' | 'locate'>,
  context: SharingContext,
): Promise<SharedIdentities> {
  const found = new SharedIdentities();
  const locationOf = (clientId: string) => describeLocation(locate(clientId));
  for await (const shared of findSharedAmong(clients, locationOf, context)) found.add(shared);
  return found;
}
