import type { Client } from '../clients/client.ts';
import type { RegistrationPolicy } from '../clients/diagnostics.ts';
import { type Claim, claimsOf, identitiesOfCertificate, identityKey } from '../clients/registered-identities.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { RecordStore } from './record-store.ts';
import { readStoredRecord } from './stored-records.ts';

/** A client that a certificate could be, and the registrations of it that the certificate meets. */
export interface PossibleClient {
  readonly client: Client;
  readonly claims: readonly Claim[];
}

/**
 * Which clients a certificate could be. The index names candidates, and their records decide.
 *
 * @param now milliseconds since the epoch
 * @throws {AdministrationError} where Redis fails
 */
export async function clientsOfCertificate(
  certificate: ClientCertificate,
  store: RecordStore,
  policy: RegistrationPolicy,
  now: number,
): Promise<readonly PossibleClient[]> {
  const keys = new Set(identitiesOfCertificate(certificate).map(identityKey));
  const clientIds = [...new Set((await store.claimants([...keys])).flat())].sort();
  const values = await store.read(clientIds);
  return clientIds.flatMap((clientId, index) => {
    const { client } = readStoredRecord(clientId, values[index] ?? { type: 'none' }, policy, now);
    const claims = client ? claimsOf(client).filter(({ key }) => keys.has(key)) : [];
    return client && claims.length > 0 ? [{ client, claims }] : [];
  });
}
