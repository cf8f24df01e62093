import { counted, printable } from '../../text.ts';
import type { Identity } from '../identities.ts';

/** Clients that one certificate authenticates, each of which a request can name. */
export interface SharedIdentity {
  /** What such a certificate has: it is that one, or it has this key, name or pattern. */
  readonly identity: Identity;
  /** Two or more. */
  readonly clients: readonly SharingClient[];
}

export interface SharingClient {
  readonly clientId: string;
  /** Of its record in a file; undefined if it is in Redis. */
  readonly location: string | undefined;
}

const MAX_IDENTITIES = 50;

/** The first of many shared identities, and how many there are. */
export class SharedIdentities {
  readonly first: SharedIdentity[] = [];
  count = 0;

  add(shared: SharedIdentity): void {
    this.count += 1;
    if (this.first.length < MAX_IDENTITIES) this.first.push(shared);
  }

  /** One line for each, and a last one with the number of those omitted. @param toLine the description by default */
  lines(toLine = describeSharedIdentity): string[] {
    const omitted = this.count - this.first.length;
    return [...this.first.map(toLine), ...(omitted > 0 ? [`… and ${omitted} more shared identities`] : [])];
  }
}

/** One sentence: which clients it is about, and what follows from it. */
function describeSharedIdentity(shared: SharedIdentity): string {
  return `${subjectOf(shared)}. A request names its client; the edge, which has only the certificate, rejects it`;
}

/** Why records are rejected that share an identity. */
export function describeForbiddenSharing(shared: SharedIdentity): string {
  return `${subjectOf(shared)}, and COUNTERSIGN_UNIQUE_CERTIFICATES is true: ${fixFor(shared.identity)}`;
}

const MAX_NAMED = 50;

function subjectOf({ identity, clients }: SharedIdentity): string {
  const named = clients.slice(0, MAX_NAMED).map(({ clientId, location }) => `${clientId} (${location ?? 'in Redis'})`);
  const more = clients.length > MAX_NAMED ? ` and ${clients.length - MAX_NAMED} more` : '';
  const list = `${named.join(', ')}${more}`;
  return printable(`${identity.text} is shared by ${counted(clients.length, 'client')}: ${list}`);
}

function fixFor({ kind }: Identity): string {
  if (kind === 'thumbprint' || kind === 'public_key')
    return 'register it for one of them only, or let one registration end before the other starts (not_after, not_before)';
  const pins =
    'pin them to different trust anchors of COUNTERSIGN_CLIENT_CA_FILE (tls_client_auth_ca), which this command needs, too';
  if (kind === 'spiffe_pattern')
    return `give one of them a pattern with more literal segments, which has precedence, or ${pins}`;
  return `register the others by another name, or ${pins}`;
}
