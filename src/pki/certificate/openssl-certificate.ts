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
    return new X509Certificate(der);
  } catch {
    throw new CertificateError(`cannot be parsed by OpenSSL: ${explain?.() ?? opensslReason(der)}`);
  }
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
