import type { Client } from '../clients/client.ts';
import { OVERLAP_FIX } from '../clients/files/spiffe-overlaps.ts';
import type { Identity } from '../clients/identities.ts';
import { methodNames, spiffePatternOf } from '../clients/methods/methods.ts';
import { sharedIdentity } from '../clients/registered-identities.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { printable } from '../text.ts';

/** A client, and the location of its record, for messages. */
export interface IdentityOwner {
  readonly client: Client;
  readonly location: string;
}

/** What validity and conflicts of registrations depend on. */
export interface RegistrationContext {
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** @returns why one certificate may match both clients, and the fix; undefined when none may */
export function describeConflict(
  one: IdentityOwner,
  other: IdentityOwner,
  { policy, now }: RegistrationContext,
): string | undefined {
  const identity = sharedIdentity(one.client, other.client, policy, now);
  if (!identity) return undefined;
  const named = ({ client, location }: IdentityOwner) => `client ${client.clientId} (${location})`;
  const fix = fixFor(identity, one.client, other.client);
  return printable(`${named(one)} and ${named(other)} both match certificates with ${identity.text}: ${fix}`);
}

function fixFor({ kind }: Identity, one: Client, other: Client): string {
  if (kind === 'thumbprint' || kind === 'public_key') {
    return 'remove it from one of them, or end one registration before the other starts (not_after, not_before)';
  }
  if (methodNames(one.registrations).join() !== methodNames(other.registrations).join()) {
    return 'remove the certificate from the client that contains it, or register the other client by another name';
  }
  if (spiffePatternOf(one.registrations) && spiffePatternOf(other.registrations)) return OVERLAP_FIX;
  return (
    'register one of them by another name, or pin both to different trust anchors of COUNTERSIGN_CLIENT_CA_FILE ' +
    '(tls_client_auth_ca), and set that for this command as well'
  );
}
