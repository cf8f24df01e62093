import { type KeyObject, X509Certificate } from 'node:crypto';
import { type Certificate, parseCertificate } from './certificate.ts';
import { CertificateError } from './certificate-error.ts';
import { MAX_CERTIFICATE_BYTES } from './client-certificate.ts';
import { ExtensionOid } from './extensions.ts';
import { type NameConstraints, parseNameConstraints } from './name-constraints.ts';
import { sameDistinguishedName } from './names/distinguished-name.ts';

/** A certificate whose key may have signed others. Whether it was allowed to is for path validation. */
export interface CaCertificate extends Certificate {
  readonly publicKey: KeyObject;
  readonly nameConstraints: NameConstraints | undefined;
}

/**
 * Reads an authority's DER certificate.
 *
 * @throws {CertificateError} when it cannot be read, has a weak key, or is not a CA's (RFC 5280 §6.1.4 (k) and (n))
 */
export function parseCaCertificate(der: Uint8Array): CaCertificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new CertificateError(`is ${der.length} octets long; at most ${MAX_CERTIFICATE_BYTES} are accepted`);
  }
  const { certificate, structure, openssl } = parseCertificate(der);
  requireCa(certificate);
  const nameConstraints = parseNameConstraints(structure.extensions.get(ExtensionOid.nameConstraints));
  return { ...certificate, publicKey: openssl.publicKey, nameConstraints };
}

function requireCa({ basicConstraints, keyUsage }: Certificate): void {
  if (!basicConstraints.isCa) {
    throw new CertificateError("is not a CA's: basicConstraints do not say CA:TRUE (RFC 5280 §6.1.4 (k))");
  }
  if (keyUsage && !keyUsage.has('keyCertSign')) {
    throw new CertificateError('may not sign certificates: its key usage lacks keyCertSign (RFC 5280 §6.1.4 (n))');
  }
}

/** Whether issuer and subject are one name, as in a root and where an authority changes its key (RFC 5280 §6.1). */
export function isSelfIssued({ issuer, subject }: Pick<Certificate, 'issuer' | 'subject'>): boolean {
  return sameDistinguishedName(issuer, subject);
}

/** Whether its own key signed it. That costs a signature check: ask it of what is configured, not of what is sent. */
export function isSelfSigned(authority: CaCertificate): boolean {
  return isSelfIssued(authority) && new X509Certificate(authority.der).verify(authority.publicKey);
}
