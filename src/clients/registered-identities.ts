import type { Client } from './client.ts';
import { type Identity, identityKey, type RegisteredIdentity } from './identities.ts';
import { methodOf, type Registration } from './methods/methods.ts';

/** Every registration of a client; several may have the same identity. */
export function registeredIdentitiesOf({
  registrations,
}: {
  readonly registrations: readonly Registration[];
}): readonly RegisteredIdentity[] {
  return registrations.flatMap(registeredIdentityOf);
}

function registeredIdentityOf(registration: Registration): readonly RegisteredIdentity[] {
  const method = methodOf(registration);
  if (!method) return [];
  const identity = method.identity(registration);
  const { notBefore, notAfter, description } = registration;
  return [
    {
      key: identityKey(identity),
      identity,
      notBefore,
      notAfter,
      description,
      contained: method.containedCertificate(registration),
      caPins: method.caPins(registration),
      requiresChain: method.requiresChain,
    },
  ];
}

/** What a client is registered by. A certificate with one of these may be this client's; its record decides. */
export function identitiesOf(client: Pick<Client, 'registrations'>): readonly Identity[] {
  // Names that match verbatim can have one key.
  const byText = new Map(registeredIdentitiesOf(client).map(({ identity }) => [identity.text, identity]));
  return [...byText.values()];
}

/** The keys of what a client is registered by. */
export function registeredKeys(client: Client): readonly string[] {
  return [...new Set(registeredIdentitiesOf(client).map(({ key }) => key))];
}

/**
 * The keys of all other identities of the certificates that a record contains: another client could be registered by
 * them.
 */
export function unregisteredCertificateKeys(client: Client): readonly string[] {
  const identities = registeredIdentitiesOf(client);
  const keys = new Set(identities.flatMap(({ contained }) => contained?.keys ?? []));
  for (const { key } of identities) keys.delete(key);
  return [...keys];
}
