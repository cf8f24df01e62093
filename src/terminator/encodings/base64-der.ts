import { CertificateError } from '../../pki/certificate/certificate-error.ts';

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
