import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { Tag } from '../../pki/certificate/der-element.ts';

/**
 * Splits a chain of concatenated DER certificates.
 *
 * @throws {CertificateError}
 */
export function splitConcatenatedDer(bytes: Uint8Array): Uint8Array[] {
  const certificates: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const certificate = sequenceAt(bytes, offset);
    certificates.push(certificate);
    requireChainLength(certificates.length);
    offset += certificate.length;
  }
  return certificates;
}

/** In addition to the leaf. No PKI is this deep, and each certificate may cost a signature check during path building. */
export const MAX_CHAIN_CERTIFICATES = 10;

/**
 * Requires that a chain is not too long, and that each certificate is exactly one DER SEQUENCE. Their contents are
 * parsed during path building.
 *
 * @throws {CertificateError}
 */
export function requireChain(certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  requireChainLength(certificates.length);
  for (const der of certificates) {
    const trailing = der.length - sequenceAt(der, 0).length;
    if (trailing > 0) throw new CertificateError(`${trailing} trailing bytes after a certificate of the chain`);
  }
  return certificates;
}

/**
 * Stops a decoding loop on a value with too many certificates.
 *
 * @throws {CertificateError}
 */
export function requireChainLength(length: number): void {
  if (length <= MAX_CHAIN_CERTIFICATES) return;
  throw new CertificateError(`a chain of more than ${MAX_CHAIN_CERTIFICATES} certificates`);
}

/**
 * The SEQUENCE at this offset, with its header, as a view. Only the header is read, in the definite form and the fewest
 * bytes (X.690 §10.1): that determines where one certificate ends and the next one starts.
 *
 * @throws {CertificateError}
 */
function sequenceAt(bytes: Uint8Array, offset: number): Uint8Array {
  const first = bytes[offset + 1];
  if (bytes[offset] !== Tag.sequence || first === undefined) throw malformed('not a DER SEQUENCE', offset);
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  // 0x80 is the indefinite form, and more than three bytes encode a length above 16 MiB.
  if (first === 0x80 || lengthBytes > 3) throw malformed('a length that is indefinite or above 16 MiB', offset);
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[offset + 2 + i] ?? Number.NaN);
  const end = offset + 2 + lengthBytes + length;
  if (!(end <= bytes.length)) throw malformed('a truncated DER SEQUENCE', offset);
  if (lengthBytes > 0 && length < Math.max(0x80, 256 ** (lengthBytes - 1))) {
    throw malformed('a length that is not minimally encoded', offset);
  }
  return bytes.subarray(offset, end);
}

function malformed(problem: string, offset: number): CertificateError {
  return new CertificateError(`not a certificate: ${problem} (at offset ${offset})`);
}
