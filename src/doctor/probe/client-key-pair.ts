import { X509Certificate } from 'node:crypto';
import { issueCertificate, type KeyPairWithCertificate } from '../../pki/certificate/issue-certificate.ts';
import { decodeDistinguishedName, formatDistinguishedName } from '../../pki/certificate/names/distinguished-name.ts';
import { parseCertificateStructure } from '../../pki/certificate/structure.ts';
import { sha256Thumbprint } from '../../pki/certificate/thumbprint.ts';

/** A certificate to present in the handshake, with its private key. */
export interface ClientKeyPair extends KeyPairWithCertificate {
  readonly der: Uint8Array;
  /** RFC 4514. */
  readonly subject: string;
  /** `x5t#S256`. */
  readonly thumbprint: string;
  /** Whether it was generated for this run, and so is self-signed and registered nowhere. */
  readonly generated: boolean;
  readonly selfSigned: boolean;
  /** Undefined when it was generated. */
  readonly certificateFile: string | undefined;
  /** Why it is outside its validity period; undefined when it is within. */
  readonly validityViolation: string | undefined;
}

/** Generates a self-signed certificate for this run. */
export async function generateClientKeyPair(): Promise<ClientKeyPair> {
  const pair = await generateSelfSigned('countersign-doctor');
  return clientKeyPair(pair, new X509Certificate(pair.certificatePem), undefined);
}

/**
 * Generates the certificate of the forged headers, as DER. Its key is discarded: no client can prove possession, so
 * accepting it is always a false acceptance.
 */
export async function generateForgedCertificate(): Promise<Uint8Array> {
  const { certificatePem } = await generateSelfSigned('countersign-doctor-forged');
  return new X509Certificate(certificatePem).raw;
}

/** How messages call the `own` certificate. */
export function describeOwnCertificate({ generated }: Pick<ClientKeyPair, 'generated'>): string {
  return generated ? 'the certificate generated for this run' : 'your certificate';
}

function generateSelfSigned(commonName: string): Promise<KeyPairWithCertificate> {
  return issueCertificate({ purpose: 'client', subject: [{ CN: [commonName] }], lifetimeDays: 1, now: Date.now() });
}

/**
 * A certificate with its private key, and what reports state about it.
 *
 * @param certificateFile undefined when it was generated
 */
export function clientKeyPair(
  pair: KeyPairWithCertificate,
  certificate: X509Certificate,
  certificateFile: string | undefined,
): ClientKeyPair {
  const { raw: der, publicKey } = certificate;
  return {
    ...pair,
    der,
    subject: subjectOf(der),
    thumbprint: sha256Thumbprint(der),
    generated: certificateFile === undefined,
    selfSigned: certificate.verify(publicKey),
    certificateFile,
    validityViolation: validityViolation(certificate, Date.now()),
  };
}

/** Node parses certificates that the server rejects. They must be sent as well, to see the rejection. */
function subjectOf(der: Uint8Array): string {
  try {
    return formatDistinguishedName(decodeDistinguishedName(parseCertificateStructure(der).subject));
  } catch {
    return new X509Certificate(der).subject.replaceAll('\n', ', ');
  }
}

function validityViolation({ validFromDate, validToDate }: X509Certificate, now: number): string | undefined {
  if (now > validToDate.getTime()) return `expired on ${validToDate.toISOString()}`;
  if (now < validFromDate.getTime()) return `is not valid before ${validFromDate.toISOString()}`;
  return undefined;
}
