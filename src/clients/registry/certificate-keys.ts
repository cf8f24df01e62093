import { invalidClient } from '../../oauth/oauth-error.ts';
import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import { identitiesOfCertificate, identityKey } from '../identities.ts';
import { patternsOf } from '../spiffe-pattern.ts';

/** The names in a certificate are the choice of others, and each is looked up. */
const MAX_IDENTITIES = 64;

/**
 * The keys of every identity by which a client could register this certificate.
 *
 * @throws {OAuthError} invalid_client if it has too many
 */
export function certificateKeys(certificate: ClientCertificate): readonly string[] {
  const count = countIdentities(certificate);
  if (count <= MAX_IDENTITIES) return identitiesOfCertificate(certificate).map(identityKey);
  throw invalidClient(
    'certificate_identities_excessive',
    `the certificate has ${count} identities (thumbprint, public key, subject DN, each SAN, and the patterns that its SPIFFE ID matches), and its client is looked up by at most ${MAX_IDENTITIES}`,
  );
}

function countIdentities({ subject, alternativeNames, svid }: ClientCertificate): number {
  const names = Object.values(alternativeNames).map((each) => new Set(each).size);
  const thumbprintAndKey = 2;
  const patterns = svid.spiffeId === undefined ? 0 : patternsOf(svid.spiffeId).length;
  const others = thumbprintAndKey + (subject.canonical === undefined ? 0 : 1) + patterns;
  return names.reduce((sum, each) => sum + each, others);
}
