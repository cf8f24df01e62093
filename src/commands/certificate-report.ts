import type { KeyObject } from 'node:crypto';
import { parseCaCertificate } from '../pki/certificate/ca-certificate.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { parseClientCertificate, requireValidAt } from '../pki/certificate/client-certificate.ts';
import { ExtensionOid, parseBasicConstraints } from '../pki/certificate/extensions.ts';
import {
  decodeDistinguishedName,
  formatDistinguishedName,
  nonTextReason,
} from '../pki/certificate/names/distinguished-name.ts';
import { parseWithOpenssl } from '../pki/certificate/openssl-certificate.ts';
import { publicKeyOf } from '../pki/certificate/public-key-info.ts';
import { parseCertificateStructure } from '../pki/certificate/structure.ts';
import { parseSubjectAlternativeNames } from '../pki/certificate/subject-alternative-names.ts';
import { sha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import { printable } from '../text.ts';

/** The contents of a certificate, and whether the server would accept it. */
export interface CertificateReport {
  readonly subject: string;
  readonly issuer: string;
  /** Whether it is a CA certificate, which a client may not present. */
  readonly is_ca: boolean;
  /** Whether its own key signed it. */
  readonly self_signed: boolean;
  readonly alternative_names: Readonly<Record<string, readonly string[]>>;
  readonly thumbprint: string;
  readonly thumbprint_hex: string;
  /** Thumbprint of the public key, which a renewed certificate may share. */
  readonly public_key_thumbprint: string;
  readonly not_before: string;
  readonly not_after: string;
  readonly key: string;
  readonly signature_algorithm: string;
  /** Why the server rejects it, now or always. */
  readonly rejected: readonly string[];
}

/** @throws {CertificateError} when it cannot be parsed at all */
export function reportOn(der: Uint8Array): CertificateReport {
  const structure = parseCertificateStructure(der);
  const subject = decodeDistinguishedName(structure.subject);
  const issuer = decodeDistinguishedName(structure.issuer);
  const openssl = parseWithOpenssl(der, () => nonTextReason(subject) ?? nonTextReason(issuer));
  const publicKey = publicKeyOf(structure.publicKey);
  const { isCa } = parseBasicConstraints(structure.extensions.get(ExtensionOid.basicConstraints));
  return {
    subject: formatDistinguishedName(subject),
    issuer: formatDistinguishedName(issuer),
    is_ca: isCa,
    self_signed: openssl.verify(publicKey),
    alternative_names: parseSubjectAlternativeNames(structure.extensions.get(ExtensionOid.subjectAlternativeName))
      .names,
    thumbprint: sha256Thumbprint(der),
    thumbprint_hex: openssl.fingerprint256.replaceAll(':', '').toLowerCase(),
    public_key_thumbprint: sha256Thumbprint(structure.publicKey.encoded),
    not_before: openssl.validFromDate.toISOString(),
    not_after: openssl.validToDate.toISOString(),
    key: describeKey(publicKey),
    signature_algorithm: openssl.signatureAlgorithm ?? 'unknown',
    rejected: isCa ? caRejections(der) : clientRejections(der),
  };
}

function describeKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
  return [asymmetricKeyType, namedCurve, modulusLength && `${modulusLength} bits`].filter(Boolean).join(' ');
}

/** Runs the same checks as the server. */
function clientRejections(der: Uint8Array): string[] {
  return rejections(() => requireValidAt(parseClientCertificate(der), Date.now()));
}

function caRejections(der: Uint8Array): string[] {
  return rejections(() => requireValidAt(parseCaCertificate(der), Date.now()));
}

function rejections(check: () => void): string[] {
  try {
    check();
  } catch (error) {
    if (error instanceof CertificateError) return [error.message];
    throw error;
  }
  return [];
}

export function factRows(report: CertificateReport): string[][] {
  const names = Object.entries(report.alternative_names).flatMap(([kind, values]) =>
    values.map((value) => [`${kind} name`, printable(value)]),
  );
  return [
    ['subject', report.subject || '(empty)'],
    ...names,
    ['issuer', report.issuer],
    ['valid', `${report.not_before} to ${report.not_after}`],
    ['key', report.key],
    ['signature', report.signature_algorithm],
    ['thumbprint', report.thumbprint],
    ['  in hex', report.thumbprint_hex],
    ['  of the key', report.public_key_thumbprint],
  ];
}
