import type { RegisteredSubject } from '../clients/client.ts';
import { invalidClient } from '../oauth/oauth-error.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import {
  formatDistinguishedName,
  isReverseOf,
  type MatchableName,
  sameDistinguishedName,
} from '../pki/certificate/names/distinguished-name.ts';
import type { ChainStatus } from '../pki/path/verify-chain.ts';
import { abbreviate } from '../text.ts';
import type { AuthenticationMethod } from './method.ts';

/**
 * `tls_client_auth` (RFC 8705 §2.1): somebody whom we believe verified the chain, it goes through a CA that the client
 * is pinned to, if there are any, and the leaf carries the one subject value that the client registered.
 */
export const tlsClientAuth: AuthenticationMethod<'tls_client_auth'> = (registered, { certificate, chain }, now) => {
  if (registered.notAfter !== undefined && now > registered.notAfter) {
    throw invalidClient('the registration of the subject has ended');
  }
  if (!chain.verified) throw invalidClient(`the certificate's chain is not verified: ${chain.reason}`);
  if (certificate.signatureAlgorithm === undefined) {
    throw invalidClient('the certificate is signed with an algorithm that is not accepted (SHA-1, MD5 or unknown)');
  }
  requirePinnedCa(registered.caPins, chain);
  if (carriesSubject(certificate, registered.subject)) return {};
  throw invalidClient(mismatchReason(certificate, registered.subject));
};

/** A path that holds must go through one of the CAs, known by its key. */
function requirePinnedCa(pins: readonly string[], chain: VerifiedChain): void {
  if (pins.length === 0) return;
  const pinned = `the client is pinned to CA key ${pins.join(' or ')}`;
  if (chain.paths === undefined) {
    throw invalidClient(`${pinned}, and the path is not known: COUNTERSIGN_CHAIN_VERIFIED_BY is not countersign`);
  }
  const authorities = chain.paths.flatMap((path) => path.caCertificates);
  if (authorities.some(({ publicKeyThumbprint }) => pins.includes(publicKeyThumbprint))) return;
  const keys = authorities.map(({ subjectText, publicKeyThumbprint }) => `${publicKeyThumbprint} ("${subjectText}")`);
  throw invalidClient(`${pinned}; the certificate's path goes through ${[...new Set(keys)].join(', ')}`);
}

type VerifiedChain = Extract<ChainStatus, { verified: true }>;

function carriesSubject(certificate: ClientCertificate, registered: RegisteredSubject): boolean {
  if (registered.kind === 'dn') return sameDistinguishedName(certificate.subject, registered.name);
  return certificate.alternativeNames[registered.kind].includes(registered.name);
}

function mismatchReason(certificate: ClientCertificate, registered: RegisteredSubject): string {
  if (registered.kind === 'dn') return nameMismatchReason(certificate, registered.name);
  const presented = certificate.alternativeNames[registered.kind].slice(0, 10).join(', ') || 'none';
  return `the certificate's alternative names (${registered.kind}) are: ${abbreviate(presented)}; registered is "${registered.name}"`;
}

function nameMismatchReason({ subject, subjectText }: ClientCertificate, registered: MatchableName): string {
  if (subject.canonical === undefined) {
    return `the certificate's subject "${subjectText}" matches nobody: ${subject.unmatchableReason}`;
  }
  const expected = abbreviate(formatDistinguishedName(registered));
  const mismatch = `the certificate's subject is "${subjectText}"; registered is "${expected}"`;
  if (!isReverseOf(subject, registered)) return mismatch;
  return `${mismatch}, which is the reverse; if the certificate is right, register ${subjectText}`;
}
