import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { Tag } from '../../pki/certificate/der.ts';
import type { DecodedCertificates } from '../format.ts';

/**
 * Decodes a leaf and its chain as base64 with single commas between them: no alphabet of base64 has a comma.
 *
 * @throws {CertificateError}
 */
export function decodeBase64List(value: string): DecodedCertificates {
  // The leaf, as many as there may be, and one that is too many.
  const [leaf = '', ...chain] = value.split(',', MAX_CHAIN_CERTIFICATES + 2);
  return { leaf: decodeBase64(leaf), chain: requireChain(chain.map(decodeBase64)) };
}

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

/**
 * Decodes standard, padded base64 (RFC 4648 §4) on one line.
 *
 * @throws {CertificateError} on anything that an encoder would not write for these bytes
 */
export function decodeBase64(value: string): Uint8Array {
  const der = Buffer.from(value, 'base64');
  // Node's decoder skips what it does not know; encoding again shows whether it skipped anything.
  if (der.length === 0 || der.toString('base64') !== value) throw new CertificateError('not canonical base64');
  return der;
}

/** Encodes a certificate as standard, padded base64 (RFC 4648 §4) on one line. */
export function encodeBase64(der: Uint8Array): string {
  return Buffer.from(der).toString('base64');
}
