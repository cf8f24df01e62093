import { requireChainLength } from './chain.ts';
import { readSequence } from './der-sequence.ts';

/**
 * Takes apart a chain of certificates that stand in DER one after another.
 *
 * @throws {CertificateError}
 */
export function splitConcatenatedDer(bytes: Uint8Array): Uint8Array[] {
  const certificates: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const certificate = readSequence(bytes, offset);
    certificates.push(certificate);
    requireChainLength(certificates.length);
    offset += certificate.length;
  }
  return certificates;
}
