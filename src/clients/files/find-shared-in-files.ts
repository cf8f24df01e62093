import { findSharedAmong, type SharingContext } from '../sharing/find-shared-identities.ts';
import { SharedIdentities } from '../sharing/shared-identity.ts';
import { describeLocation } from './diagnostics.ts';
import type { ClientsFilesResult } from './read-clients-files.ts';

/** Finds the certificates and names that clients of some files share. */
export async function findSharedInFiles(
  { clients, locate }: Pick<ClientsFilesResult, 'clients' | 'locate'>,
  context: SharingContext,
): Promise<SharedIdentities> {
  const owners = clients.map((client) => ({ client, location: describeLocation(locate(client.clientId)) }));
  const found = new SharedIdentities();
  for await (const shared of findSharedAmong(owners, context)) found.add(shared);
  return found;
}
