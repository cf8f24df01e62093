import type { Client } from '../clients/client.ts';
import type { Identity } from '../clients/identities.ts';
import { sharedIdentity } from '../clients/registered-identities.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
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
  const mend = fixFor(identity, one.client, other.client);
  return printable(`${named(one)} and ${named(other)} both claim certificates with ${identity.text}: ${mend}`);
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
