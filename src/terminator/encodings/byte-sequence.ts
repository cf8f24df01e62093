import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeBase64 } from './base64-der.ts';

/**
 * Decodes a Byte Sequence of RFC 9651 §3.3.5: base64 between colons, without parameters.
 *
 * @throws {CertificateError}
 */
export function decodeByteSequence(value: string): Uint8Array {
  if (value.length < 3 || !value.startsWith(':') || !value.endsWith(':')) {
    throw new CertificateError('not a Byte Sequence: expected base64 between colons (RFC 9651 §3.3.5)');
  }
  return decodeBase64(value.slice(1, -1));
}
