import type { KeyObject } from 'node:crypto';
import { type Certificate, parseCertificate } from './certificate.ts';
import { CertificateError } from './certificate-error.ts';
import { ExtensionOid } from './extensions.ts';
import { type NameConstraints, parseNameConstraints } from './name-constraints.ts';
import { namesChain } from './names/distinguished-name.ts';
import { parseWithOpenssl } from './openssl-certificate.ts';
import { type PolicyMapping, parseInhibitAnyPolicy, parsePolicyMappings } from './policies.ts';
import { publicKeyOf } from './public-key-info.ts';

/** A certificate whose key may sign others. Path validation checks whether a given signature was permitted. */
export interface CaCertificate extends Certificate {
  readonly publicKey: KeyObject;
  /** Base64url SHA-256 of the SubjectPublicKeyInfo: the same for all certificates with this key. */
  readonly publicKeyThumbprint: string;
  readonly nameConstraints: NameConstraints | undefined;
  readonly policyMappings: readonly PolicyMapping[];
  /** After how many more certificates that are not self-issued anyPolicy has no meaning; may be Infinity. */
  readonly inhibitAnyPolicy: number;
}

/**
 * Parses the DER of a CA certificate. A received one must be limited in size first (`requireCertificateSize`).
 *
 * @throws {CertificateError} when it is malformed, has a weak key, or is not a CA's (RFC 5280 §6.1.4 (k) and (n), §4.1.2.6)
 */
export function parseCaCertificate(der: Uint8Array): CaCertificate {
  const { certificate, structure } = parseCertificate(der);
  requireCa(certificate);
  const { extensions } = structure;
  return {
    ...certificate,
    publicKey: publicKeyOf(structure.publicKey),
    publicKeyThumbprint: certificate.otherThumbprints.publicKey,
    nameConstraints: parseNameConstraints(extensions.get(ExtensionOid.nameConstraints)),
    policyMappings: parsePolicyMappings(extensions),
    inhibitAnyPolicy: parseInhibitAnyPolicy(extensions),
  };
}

function requireCa({ subject, basicConstraints, keyUsage }: Certificate): void {
  if (!basicConstraints.isCa) {
    throw new CertificateError('is not a CA certificate: its basicConstraints lack CA:TRUE (RFC 5280 §6.1.4 (k))');
  }
  if (keyUsage && !keyUsage.has('keyCertSign')) {
    throw new CertificateError('may not sign certificates: its key usage lacks keyCertSign (RFC 5280 §6.1.4 (n))');
  }
  if (subject.rdns.length === 0) {
    throw new CertificateError('has an empty subject, which no issuer name can match (RFC 5280 §4.1.2.6)');
  }
}

/** Whether issuer and subject are the same name, as in a root and in a CA's key rollover certificate (RFC 5280 §6.1). */
export function isSelfIssued({ issuer, subject }: Pick<Certificate, 'issuer' | 'subject'>): boolean {
  return namesChain(issuer, subject);
}

/**
 * Whether its own key signed it, with any algorithm: the signature of an anchor is not part of a path. This verifies a
 * signature: use it for configured certificates, not for received ones.
 */
export function isSelfSigned(ca: CaCertificate): boolean {
  return isSelfIssued(ca) && parseWithOpenssl(ca.der).verify(ca.publicKey);
}

/** Compares CA certificates, for sorting: the one that expires last comes first. */
export function compareExpiry(one: CaCertificate, other: CaCertificate): number {
  return other.notAfter - one.notAfter;
}
