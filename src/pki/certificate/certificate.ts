import { abbreviate } from '../../text.ts';
import { CertificateError } from './certificate-error.ts';
import { type CrlDistributionPoints, parseCrlDistributionPoints } from './crl-distribution-points.ts';
import { parseDer } from './der.ts';
import type { DerElement } from './der-element.ts';
import {
  type BasicConstraints,
  type ExtendedKeyUsage,
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
import { requireNameValues } from './names/name-values.ts';
import { type PolicyConstraints, parsePolicyConstraints } from './policies.ts';
import { requireStrongKey } from './public-key-policy.ts';
import { acceptedSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithms.ts';
import { type CertificateStructure, isCritical, parseCertificateStructure } from './structure.ts';
import {
  type OtherNames,
  parseSubjectAlternativeNames,
  type SubjectAlternativeNames,
} from './subject-alternative-names.ts';
import { type Svid, svidOf } from './svid.ts';
import { OtherThumbprints, sha256Thumbprint } from './thumbprint.ts';

/** The contents of a certificate, a client's or a CA's. Its issuer is not verified, nor its validity period checked. */
export interface Certificate {
  readonly der: Uint8Array;
  /** `x5t#S256` of exactly `der`. */
  readonly thumbprint: string;
  readonly otherThumbprints: OtherThumbprints;
  /** The content bytes of the INTEGER, in hex. */
  readonly serialNumber: string;
  readonly issuer: EncodedName;
  /** Shortened, for logs. */
  readonly issuerText: string;
  readonly subject: EncodedName;
  /** The subject in RFC 4514, for logs and reports; abbreviated if long. */
  readonly subjectText: string;
  readonly alternativeNames: SubjectAlternativeNames;
  readonly otherNames: OtherNames;
  readonly svid: Svid;
  /** Milliseconds since the epoch, both inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Undefined when the signature is too weak for a verified chain: SHA-1, MD5 or an unknown algorithm. */
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  readonly basicConstraints: BasicConstraints;
  readonly keyUsage: KeyUsage | undefined;
  /** Undefined without the extension, which allows every use. */
  readonly extendedKeyUsage: ExtendedKeyUsage | undefined;
  readonly policyConstraints: PolicyConstraints;
  /**
   * Parsed in path validation, and only if a policy is required or the extension is critical: most certificates have it,
   * and few paths require a policy. See `parseCertificatePolicies`.
   */
  readonly certificatePolicies: DerElement | undefined;
  /** Hex. */
  readonly subjectKeyIdentifier: string | undefined;
  readonly authorityKeyIdentifier: string | undefined;
  readonly crlDistributionPoints: CrlDistributionPoints;
  /** The object identifiers of critical extensions that are not processed (RFC 5280 §4.2). */
  readonly unknownCriticalExtensions: readonly string[];
}

type Extensions = CertificateStructure['extensions'];

/** A certificate and its structure. */
export interface ParsedCertificate {
  readonly certificate: Certificate;
  readonly structure: CertificateStructure;
}

/**
 * Parses one DER certificate and rejects those too weak for any use.
 *
 * @throws {CertificateError} when it is not the DER of one certificate, not X.509 v3, or has a weak key
 */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  const structure = parseCertificateStructure(der);
  const { version, extensions, publicKey } = structure;
  if (version !== 3) {
    throw new CertificateError(
      `is X.509 v${version}; only v3 is accepted: others cannot state what they may be used for`,
      { code: 'certificate_version_unsupported' },
    );
  }
  requireStrongKey(publicKey);
  const usage = parseUsage(extensions);
  const names = parseNames(structure);
  const identifiers = parseIdentifiers(structure);
  const certificate = {
    der,
    thumbprint: sha256Thumbprint(der),
    otherThumbprints: new OtherThumbprints(der, publicKey),
    // Field by field: spreading the objects takes 7 µs.
    issuer: names.issuer,
    issuerText: names.issuerText,
    subject: names.subject,
    subjectText: names.subjectText,
    alternativeNames: names.alternativeNames,
    otherNames: names.otherNames,
    svid: svidOf(names, usage),
    notBefore: structure.validity.notBefore,
    notAfter: structure.validity.notAfter,
    signatureAlgorithm: acceptedSignatureAlgorithm(structure.signatureAlgorithm),
    basicConstraints: usage.basicConstraints,
    keyUsage: usage.keyUsage,
    extendedKeyUsage: usage.extendedKeyUsage,
    policyConstraints: usage.policyConstraints,
    certificatePolicies: extensions.get(ExtensionOid.certificatePolicies),
    serialNumber: identifiers.serialNumber,
    subjectKeyIdentifier: identifiers.subjectKeyIdentifier,
    authorityKeyIdentifier: identifiers.authorityKeyIdentifier,
    crlDistributionPoints: parseCrlDistributionPoints(structure, names.issuer),
    unknownCriticalExtensions: identifiers.unknownCriticalExtensions,
  };
  return { certificate, structure };
}

function parseUsage(extensions: Extensions) {
  return {
    basicConstraints: parseBasicConstraints(extensions.get(ExtensionOid.basicConstraints)),
    keyUsage: parseKeyUsage(extensions.get(ExtensionOid.keyUsage)),
    extendedKeyUsage: parseExtendedKeyUsage(extensions.get(ExtensionOid.extendedKeyUsage)),
    policyConstraints: parsePolicyConstraints(extensions),
  };
}

function parseNames({ issuer, subject, extensions }: CertificateStructure) {
  const name = decodeDistinguishedName(subject);
  requireNameValues(subject, name);
  const { names, otherNames, uris } = parseSubjectAlternativeNames(extensions.get(ExtensionOid.subjectAlternativeName));
  return {
    ...decodeIssuer(issuer),
    subject: name,
    subjectText: abbreviate(formatDistinguishedName(name)),
    alternativeNames: names,
    otherNames,
    uris,
  };
}

/** Most certificates have the issuer of the one before: in the cache, they share it. */
let last: Pick<Certificate, 'issuer' | 'issuerText'> | undefined;

function decodeIssuer({ encoded }: DerElement): Pick<Certificate, 'issuer' | 'issuerText'> {
  if (last !== undefined && Buffer.compare(last.issuer.encoded, encoded) === 0) return last;
  // A copy: a view would keep the whole certificate in memory for as long as any other one with this issuer.
  const element = parseDer(encoded.slice());
  const issuer = decodeDistinguishedName(element);
  requireNameValues(element, issuer);
  last = { issuer, issuerText: abbreviate(formatDistinguishedName(issuer)) };
  return last;
}

function parseIdentifiers({ serialNumber, extensions }: CertificateStructure) {
  return {
    serialNumber: Buffer.from(serialNumber).toString('hex'),
    subjectKeyIdentifier: parseSubjectKeyIdentifier(extensions.get(ExtensionOid.subjectKeyIdentifier)),
    authorityKeyIdentifier: parseAuthorityKeyIdentifier(extensions.get(ExtensionOid.authorityKeyIdentifier)),
    unknownCriticalExtensions: unknownCriticalExtensions(extensions),
  };
}

const NO_EXTENSIONS: readonly string[] = [];

function unknownCriticalExtensions(extensions: Extensions): readonly string[] {
  const unknown: string[] = [];
  for (const [id, extension] of extensions) if (!processedExtensions.has(id) && isCritical(extension)) unknown.push(id);
  return unknown.length === 0 ? NO_EXTENSIONS : unknown;
}
