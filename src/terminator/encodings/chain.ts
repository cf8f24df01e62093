import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { readSequence } from './der-sequence.ts';

/** Beside the leaf. No PKI is as deep, and each may cost a signature check when a path is sought. */
export const MAX_CHAIN_CERTIFICATES = 10;

/**
 * Checks the certificates that stand beside a leaf: there are not too many, and each is one whole DER SEQUENCE. What is
 * in them is for those who build a path.
 *
 * @throws {CertificateError}
 */
export function requireChain(certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  requireChainLength(certificates.length);
  for (const der of certificates) {
    const trailing = der.length - readSequence(der, 0).length;
    if (trailing > 0) throw new CertificateError(`${trailing} trailing bytes after a certificate of the chain`);
  }
  return certificates;
}

/**
 * For a loop that must not run away on a long value.
 *
 * @throws {CertificateError}
 */
export function requireChainLength(length: number): void {
  if (length <= MAX_CHAIN_CERTIFICATES) return;
  throw new CertificateError(`a chain of more than ${MAX_CHAIN_CERTIFICATES} certificates`);
}
