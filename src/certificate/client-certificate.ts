import { X509Certificate } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import { readCertificateStructure } from './certificate-structure.ts';
import { requireClientPurpose } from './client-purpose.ts';
import { type DistinguishedName, formatDistinguishedName, readDistinguishedName } from './distinguished-name.ts';
import { requireKeyOfUsualSize, requireStrongKey } from './public-key-policy.ts';
import { acceptedSignatureAlgorithm } from './signature-algorithms.ts';
import {
  readSubjectAlternativeNames,
  SUBJECT_ALTERNATIVE_NAME,
  type SubjectAlternativeNames,
} from './subject-alternative-names.ts';
import { sha1Thumbprint, sha256Thumbprint } from './thumbprint.ts';

/** What a client's certificate says. It is not yet known who vouches for it, nor whether it is valid now. */
export interface ClientCertificate {
  readonly der: Uint8Array;
  /** `x5t#S256` of exactly `der`. */
  readonly thumbprint: string;
  readonly sha1Thumbprint: string;
  readonly subject: DistinguishedName;
  /** The subject in RFC 4514, for people. */
  readonly subjectText: string;
  readonly alternativeNames: SubjectAlternativeNames;
  /** Milliseconds since the epoch, both inclusive (RFC 5280 §4.1.2.5). */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Undefined where the issuer signed with something too weak for a verified chain (SHA-1, MD5, unknown). */
  readonly signatureAlgorithm: string | undefined;
}

/** A DER longer than this is refused before it is read. */
export const MAX_CERTIFICATE_OCTETS = 16_384;

/**
 * Parses one DER certificate and refuses those too weak to identify a client.
 *
 * @throws {CertificateError} when it is not the canonical DER of one acceptable certificate
 */
export function parseClientCertificate(der: Uint8Array): ClientCertificate {
  if (der.length > MAX_CERTIFICATE_OCTETS) {
    throw new CertificateError(`is ${der.length} octets long; at most ${MAX_CERTIFICATE_OCTETS} are accepted`);
  }
  try {
    return parseBounded(der);
  } catch (error) {
    // The libraries below throw errors of their own for what they cannot read.
    if (error instanceof CertificateError) throw error;
    throw new CertificateError(`cannot be parsed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseBounded(der: Uint8Array): ClientCertificate {
  const structure = readCertificateStructure(der);
  if (structure.version !== 3) throw new CertificateError(`is X.509 v${structure.version}; only v3 is accepted`);
  requireClientPurpose(structure.extensions);
  requireKeyOfUsualSize(structure.publicKey);
  // A second reader, of another make, must see a certificate in the same bytes.
  const openssl = new X509Certificate(der);
  if (openssl.ca) throw new CertificateError('is a CA certificate to OpenSSL');
  requireStrongKey(openssl.publicKey);
  const subject = readDistinguishedName(structure.subject);
  return {
    der,
    thumbprint: sha256Thumbprint(der),
    sha1Thumbprint: sha1Thumbprint(der),
    subject,
    subjectText: formatDistinguishedName(subject),
    alternativeNames: readSubjectAlternativeNames(structure.extensions.get(SUBJECT_ALTERNATIVE_NAME)),
    notBefore: openssl.validFromDate.getTime(),
    notAfter: openssl.validToDate.getTime(),
    signatureAlgorithm: acceptedSignatureAlgorithm(structure.signatureAlgorithm),
  };
}

/**
 * Checks the validity period. It is asked on every request, also for a certificate that was parsed long ago.
 *
 * @param now milliseconds since the epoch
 * @throws {CertificateError}
 */
export function requireValidAt(certificate: ClientCertificate, now: number): void {
  const { notBefore, notAfter } = certificate;
  const wholeLastSecond = notAfter + 999;
  if (now < notBefore) throw new CertificateError(`is not valid before ${new Date(notBefore).toISOString()}`);
  if (now > wholeLastSecond) throw new CertificateError(`expired at ${new Date(notAfter).toISOString()}`);
  if (notBefore <= now && now <= wholeLastSecond) return;
  throw new CertificateError('has no period of validity that can be read');
}
