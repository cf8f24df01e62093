import { X509Certificate } from 'node:crypto';
import { abbreviate } from '../../text.ts';
import { CertificateError } from './certificate-error.ts';
import {
  type BasicConstraints,
  ExtensionOid,
  type KeyUsage,
  parseAuthorityKeyIdentifier,
  parseBasicConstraints,
  parseExtendedKeyUsage,
  parseKeyUsage,
  parseSubjectKeyIdentifier,
  processedExtensions,
  requiresExplicitPolicy,
} from './extensions.ts';
import {
  type DistinguishedName,
  decodeDistinguishedName,
  formatDistinguishedName,
} from './names/distinguished-name.ts';
import { limitPublicKeySize, requireNamedCurve, requireStrongKey } from './public-key-policy.ts';
import { acceptedSignatureAlgorithm } from './signature-algorithms.ts';
import { type CertificateStructure, isCritical, parseCertificateStructure } from './structure.ts';
import {
  type OtherNames,
  parseSubjectAlternativeNames,
  type SubjectAlternativeNames,
} from './subject-alternative-names.ts';
import { sha1Thumbprint, sha256Thumbprint } from './thumbprint.ts';

/** What a certificate says, a client's or an authority's. Who vouches for it, and whether it is valid now, it can't say. */
export interface Certificate {
  readonly der: Uint8Array;
  /** `x5t#S256` of exactly `der`. */
  readonly thumbprint: string;
  readonly sha1Thumbprint: string;
  /** base64url of the SHA-256 of the SubjectPublicKeyInfo: the same for every certificate over this key. */
  readonly publicKeyThumbprint: string;
  /** The content octets of the INTEGER, in hex. */
  readonly serialNumber: string;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** The subject in RFC 4514, for people; abbreviated where it is long. */
  readonly subjectText: string;
  readonly alternativeNames: SubjectAlternativeNames;
  readonly otherNames: OtherNames;
  /** Milliseconds since the epoch, both inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Undefined where the issuer signed with something too weak for a verified chain (SHA-1, MD5, unknown). */
  readonly signatureAlgorithm: string | undefined;
  readonly basicConstraints: BasicConstraints;
  readonly keyUsage: KeyUsage | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly requiresExplicitPolicy: boolean;
  readonly subjectKeyIdentifier: string | undefined;
  readonly authorityKeyIdentifier: string | undefined;
  /** Critical extensions that nothing here reads, as object identifiers (RFC 5280 §4.2). */
  readonly unknownCriticalExtensions: readonly string[];
}

/** A certificate as two readers of different make saw it. */
export interface ParsedCertificate {
  readonly certificate: Certificate;
  readonly structure: CertificateStructure;
  readonly openssl: X509Certificate;
}

/**
 * Reads one DER certificate, whoever's, and refuses those that are too weak for anything.
 *
 * @throws {CertificateError} when it is not the canonical DER of one certificate, not X.509 v3, or has a weak key
 */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  try {
    return read(der);
  } catch (error) {
    // The libraries below throw errors of their own for what they cannot read.
    if (error instanceof CertificateError) throw error;
    throw new CertificateError(`cannot be parsed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function read(der: Uint8Array): ParsedCertificate {
  const structure = parseCertificateStructure(der);
  if (structure.version !== 3) throw new CertificateError(`is X.509 v${structure.version}; only v3 is accepted`);
  const { extensions } = structure;
  // Before OpenSSL calculates with the key.
  limitPublicKeySize(structure.publicKey);
  requireNamedCurve(structure.publicKey);
  const usage = {
    basicConstraints: parseBasicConstraints(extensions.get(ExtensionOid.basicConstraints)),
    keyUsage: parseKeyUsage(extensions.get(ExtensionOid.keyUsage)),
    extendedKeyUsage: parseExtendedKeyUsage(extensions.get(ExtensionOid.extendedKeyUsage)),
    requiresExplicitPolicy: requiresExplicitPolicy(extensions.get(ExtensionOid.policyConstraints)),
  };
  const openssl = new X509Certificate(der);
  requireStrongKey(openssl.publicKey);
  const identity = { ...readNames(structure), ...readIdentifiers(der, structure) };
  const validity = { notBefore: openssl.validFromDate.getTime(), notAfter: openssl.validToDate.getTime() };
  const signatureAlgorithm = acceptedSignatureAlgorithm(structure.signatureAlgorithm)?.name;
  return { certificate: { der, ...identity, ...validity, signatureAlgorithm, ...usage }, structure, openssl };
}

function readNames({ issuer, subject, extensions }: CertificateStructure) {
  const name = decodeDistinguishedName(subject);
  const { names, further } = parseSubjectAlternativeNames(extensions.get(ExtensionOid.subjectAlternativeName));
  return {
    issuer: decodeDistinguishedName(issuer),
    subject: name,
    subjectText: abbreviate(formatDistinguishedName(name)),
    alternativeNames: names,
    otherNames: further,
  };
}

function readIdentifiers(der: Uint8Array, { serialNumber, publicKey, extensions }: CertificateStructure) {
  const critical = [...extensions].filter(([id, extension]) => isCritical(extension) && !processedExtensions.has(id));
  return {
    thumbprint: sha256Thumbprint(der),
    sha1Thumbprint: sha1Thumbprint(der),
    publicKeyThumbprint: sha256Thumbprint(publicKey.encoded),
    serialNumber: Buffer.from(serialNumber.content).toString('hex'),
    subjectKeyIdentifier: parseSubjectKeyIdentifier(extensions.get(ExtensionOid.subjectKeyIdentifier)),
    authorityKeyIdentifier: parseAuthorityKeyIdentifier(extensions.get(ExtensionOid.authorityKeyIdentifier)),
    unknownCriticalExtensions: critical.map(([id]) => id),
  };
}
