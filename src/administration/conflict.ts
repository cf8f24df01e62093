import type { Client } from '../clients/client.ts';
import { type Identity, sharedIdentity } from '../clients/registered-identities.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { formatDistinguishedName } from '../pki/certificate/names/distinguished-name.ts';
import { printable } from '../text.ts';

/** A client, and where its record stands, for messages. */
export interface IdentityOwner {
  readonly client: Client;
  readonly location: string;
}

/** Who vouches for names, and since when a registration may have ended: milliseconds since the epoch. */
export interface RegistrationContext {
  readonly policy: RegistrationPolicy;
  readonly now: number;
}

/** Why two clients cannot both be: a certificate that could be either's. Undefined where there is none. */
export function describeConflict(
  one: IdentityOwner,
  other: IdentityOwner,
  { policy, now }: RegistrationContext,
): string | undefined {
  const identity = sharedIdentity(one.client, other.client, policy, now);
  if (!identity) return undefined;
  const named = ({ client, location }: IdentityOwner) => `client ${client.clientId} (${location})`;
  const what = describeIdentity(identity, one.client, other.client);
  const mend = fixFor(identity, one.client, other.client);
  return printable(`${named(one)} and ${named(other)} both claim certificates with ${what}: ${mend}`);
}

/** An identity that one of these clients is registered by, in words. */
export function describeIdentity({ kind, value }: Identity, ...clients: readonly Client[]): string {
  if (kind === 'thumbprint')
    return value.startsWith('sha1:') ? `SHA-1 thumbprint ${value.slice(5)}` : `thumbprint ${value}`;
  if (kind === 'public_key') return `public key ${value}`;
  for (const { authentication } of clients) {
    const isNamed = authentication.method === 'tls_client_auth' && authentication.subject.kind === 'dn';
    if (kind === 'dn' && isNamed) return `subject ${formatDistinguishedName(authentication.subject.name)}`;
  }
  return `${kind} ${value}`;
}

function fixFor({ kind }: Identity, one: Client, other: Client): string {
  if (kind === 'thumbprint' || kind === 'public_key') {
    return 'take it out of one of them, or let one registration end before the other begins (not_after, not_before)';
  }
  if (one.authentication.method !== other.authentication.method) {
    return 'take the certificate out of the one that holds it, or register the other by another name';
  }
  return (
    'register one of them by another name, or pin both to different roots of COUNTERSIGN_CLIENT_CA_FILE ' +
    '(tls_client_auth_ca), and set that for this command, too'
  );
}
