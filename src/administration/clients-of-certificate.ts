import type { Client } from '../clients/client.ts';
import { identitiesOfCertificate, identityKey, type RegisteredIdentity } from '../clients/identities.ts';
import { recognizes } from '../clients/methods/methods.ts';
import { registeredIdentitiesOf } from '../clients/registered-identities.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import { clientKey } from '../resources/record-types.ts';
import type { RecordStore } from './record-store.ts';
import { parseStoredValue } from './stored-records.ts';

/** A client that a certificate matches, and the registrations that it matches. */
export interface CandidateClient {
  readonly client: Client;
  readonly identities: readonly RegisteredIdentity[];
}

/**
 * The clients that a certificate matches, apart from its chain. The index names candidates, and their records decide.
 *
 * @param now milliseconds since the epoch
 * @throws {AdministrationError} when Redis fails
 */
export async function clientsOfCertificate(
  certificate: ClientCertificate,
  store: RecordStore,
  policy: RegistrationPolicy,
  now: number,
): Promise<readonly CandidateClient[]> {
  const keys = new Set(identitiesOfCertificate(certificate).map(identityKey));
  const indexKeys = [...keys].map((indexKey) => ({ type: 'client' as const, indexKey }));
  const clientIds = [...new Set((await store.findOwners(indexKeys)).flat())].sort();
  const values = await store.read(clientIds.map(clientKey));
  return clientIds.flatMap((clientId, index) => {
    const { client } = parseStoredValue(clientId, values[index] ?? { type: 'none' }, policy, now);
    const registrations = client?.registrations.filter((each) => recognizes(each, certificate)) ?? [];
    return client && registrations.length > 0
      ? [{ client, identities: registeredIdentitiesOf({ registrations }) }]
      : [];
  });
}
