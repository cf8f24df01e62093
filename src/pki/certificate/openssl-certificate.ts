import { X509Certificate } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import { encodePem } from './pem.ts';

/**
 * Parses a certificate with OpenSSL.
 *
 * @param explain finds the part of the certificate that OpenSSL cannot parse; its reason alone names none
 * @throws {CertificateError} with that part, or else the reason that OpenSSL states
 */
export function parseWithOpenssl(der: Uint8Array, explain?: () => string | undefined): X509Certificate {
  try {
    const certificate = new X509Certificate(der);
    last = { der, certificate };
    return certificate;
  } catch {
    throw new CertificateError(`cannot be parsed by OpenSSL: ${explain?.() ?? opensslReason(der)}`);
  }
}

/** Of one certificate only: for all that are cached, OpenSSL's structures would take more memory than our own. */
let last: { readonly der: Uint8Array; readonly certificate: X509Certificate } | undefined;

/**
 * A certificate that was parsed before, in OpenSSL's form. Path validation begins right after the leaf was parsed, so
 * OpenSSL does not parse that a second time.
 *
 * @param der the array that was parsed
 */
export function opensslCertificate(der: Uint8Array): X509Certificate {
  return last?.der === der ? last.certificate : parseWithOpenssl(der);
}

/**
 * Why OpenSSL cannot parse the DER. Node parses input as PEM and then as DER, and throws the error of PEM if both fail.
 * For a PEM, that is the error of the DER in it.
 */
function opensslReason(der: Uint8Array): string {
  try {
    new X509Certificate(encodePem(der));
    return 'no reason stated';
  } catch (error) {
    // `reason` is from OpenSSL's error queue, such as "wrong tag".
    const hasReason = error instanceof Error && 'reason' in error && typeof error.reason === 'string';
    return hasReason ? `"${error.reason}"` : 'no reason stated';
  }
}
