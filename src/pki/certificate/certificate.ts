import { X509Certificate } from 'node:crypto';
import { abbreviate } from '../../text.ts';
import { CertificateError } from './certificate-error.ts';
import { type CrlDistributionPoints, parseCrlDistributionPoints } from './crl-distribution-points.ts';
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
} from './extensions.ts';
import { decodeDistinguishedName, type EncodedName, formatDistinguishedName } from './names/distinguished-name.ts';
import { certificatePoliciesOf, type PolicyConstraints, parsePolicyConstraints } from './policies.ts';
import { limitPublicKeySize, requireNamedCurve, requireStrongKey } from './public-key-policy.ts';
import { acceptedSignatureAlgorithm } from './signature-algorithms.ts';
import { type CertificateStructure, isCritical, parseCertificateStructure } from './structure.ts';
import {
  type OtherNames,
  parseSubjectAlternativeNames,
  type SubjectAlternativeNames,
} from './subject-alternative-names.ts';
import { sha1Thumbprint, sha256Thumbprint } from './thumbprint.ts';

/** The contents of a certificate, a client's or a CA's. Its issuer is not verified, nor its validity period checked. */
export interface Certificate {
  readonly der: Uint8Array;
  /** `x5t#S256` of exactly `der`. */
  readonly thumbprint: string;
  readonly sha1Thumbprint: string;
  /** Base64url SHA-256 of the SubjectPublicKeyInfo: the same for all certificates with this key. */
  readonly publicKeyThumbprint: string;
  /** The content bytes of the INTEGER, in hex. */
  readonly serialNumber: string;
  readonly issuer: EncodedName;
  readonly subject: EncodedName;
  /** The subject in RFC 4514, for logs and reports; abbreviated if long. */
  readonly subjectText: string;
  readonly alternativeNames: SubjectAlternativeNames;
  readonly otherNames: OtherNames;
  /** Milliseconds since the epoch, both inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Undefined when the signature is too weak for a verified chain: SHA-1, MD5 or an unknown algorithm. */
  readonly signatureAlgorithm: string | undefined;
  readonly basicConstraints: BasicConstraints;
  readonly keyUsage: KeyUsage | undefined;
  /** Object identifiers; undefined without the extension, which allows every use. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly policyConstraints: PolicyConstraints;
  /** DER; see `parseCertificatePolicies`. Undefined without the extension. */
  readonly certificatePolicies: Uint8Array | undefined;
  /** Hex. */
  readonly subjectKeyIdentifier: string | undefined;
  readonly authorityKeyIdentifier: string | undefined;
  readonly crlDistributionPoints: CrlDistributionPoints;
  /** The object identifiers of critical extensions that are not processed (RFC 5280 §4.2). */
  readonly unknownCriticalExtensions: readonly string[];
}

/** A certificate as seen by two independent parsers, this one and OpenSSL. */
export interface ParsedCertificate {
  readonly certificate: Certificate;
  readonly structure: CertificateStructure;
  readonly openssl: X509Certificate;
}

/**
 * Parses one DER certificate and rejects those too weak for any use.
 *
 * @throws {CertificateError} when it is not the canonical DER of one certificate, not X.509 v3, or has a weak key
 */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  try {
    return parseBothWays(der);
  } catch (error) {
    // OpenSSL and Node throw their own errors for input that they cannot parse.
    if (error instanceof CertificateError) throw error;
    throw new CertificateError(`cannot be parsed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseBothWays(der: Uint8Array): ParsedCertificate {
  const structure = parseCertificateStructure(der);
  if (structure.version !== 3) throw new CertificateError(`is X.509 v${structure.version}; only v3 is accepted`);
  // Before OpenSSL computes with the key.
  limitPublicKeySize(structure.publicKey);
  requireNamedCurve(structure.publicKey);
  const usage = usageFields(structure);
  const openssl = new X509Certificate(der);
  requireStrongKey(openssl.publicKey);
  const validity = { notBefore: openssl.validFromDate.getTime(), notAfter: openssl.validToDate.getTime() };
  const signatureAlgorithm = acceptedSignatureAlgorithm(structure.signatureAlgorithm)?.name;
  const names = { ...nameFields(structure), ...identifierFields(der, structure) };
  const crlDistributionPoints = parseCrlDistributionPoints(structure);
  return {
    certificate: { der, ...names, ...validity, signatureAlgorithm, ...usage, crlDistributionPoints },
    structure,
    openssl,
  };
}

function usageFields({ extensions }: CertificateStructure) {
  return {
    basicConstraints: parseBasicConstraints(extensions.get(ExtensionOid.basicConstraints)),
    keyUsage: parseKeyUsage(extensions.get(ExtensionOid.keyUsage)),
    extendedKeyUsage: parseExtendedKeyUsage(extensions.get(ExtensionOid.extendedKeyUsage)),
    policyConstraints: parsePolicyConstraints(extensions),
    certificatePolicies: certificatePoliciesOf(extensions),
  };
}

function nameFields({ issuer, subject, extensions }: CertificateStructure) {
  const name = decodeDistinguishedName(subject);
  const { names, otherNames } = parseSubjectAlternativeNames(extensions.get(ExtensionOid.subjectAlternativeName));
  return {
    issuer: decodeDistinguishedName(issuer),
    subject: name,
    subjectText: abbreviate(formatDistinguishedName(name)),
    alternativeNames: names,
    otherNames,
  };
}

function identifierFields(der: Uint8Array, { serialNumber, publicKey, extensions }: CertificateStructure) {
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
