import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { Tag } from '../../pki/certificate/der.ts';

/**
 * The SEQUENCE that starts at this offset, with its header; a view, not a copy. Only the header is read, in the
 * definite form and the fewest octets (X.690 §10.1): that tells where one certificate ends and the next begins.
 *
 * @throws {CertificateError}
 */
export function readSequence(bytes: Uint8Array, offset: number): Uint8Array {
  const first = bytes[offset + 1];
  if (bytes[offset] !== Tag.sequence || first === undefined) throw malformed('no DER SEQUENCE', offset);
  const octets = first < 0x80 ? 0 : first - 0x80;
  // With 0x80 the length is indefinite, and more than three octets are a length above 16 MiB.
  if (first === 0x80 || octets > 3) throw malformed('a length that no certificate has', offset);
  let length = octets === 0 ? first : 0;
  for (let i = 0; i < octets; i++) length = length * 256 + (bytes[offset + 2 + i] ?? Number.NaN);
  const end = offset + 2 + octets + length;
  if (!(end <= bytes.length)) throw malformed('a DER SEQUENCE that ends early', offset);
  if (octets > 0 && length < Math.max(0x80, 256 ** (octets - 1))) {
    throw malformed('a length not in the fewest octets', offset);
  }
  return bytes.subarray(offset, end);
}

function malformed(what: string, offset: number): CertificateError {
  return new CertificateError(`not a certificate: ${what} (at offset ${offset})`);
}
