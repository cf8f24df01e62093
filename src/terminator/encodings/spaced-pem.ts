import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { encodePem } from '../../pki/certificate/pem.ts';

const BEGIN = '-----BEGIN CERTIFICATE----- ';
const END = '-----END CERTIFICATE-----';

/**
 * Decodes a PEM whose line feeds a terminator replaced by spaces. It must be, to the character, what an encoder writes
 * for these bytes. The last space is lost on the way: whitespace at the end is no part of a field's value (RFC 9110 §5.5).
 *
 * @throws {CertificateError}
 */
export function decodeSpacedPem(value: string): Uint8Array {
  const end = value.indexOf(END);
  if (!value.startsWith(BEGIN) || end === -1) {
    throw new CertificateError('not a PEM with spaces for its line feeds');
  }
  const der = Buffer.from(value.slice(BEGIN.length, end), 'base64');
  const written = encodePem(der).replaceAll('\n', ' ');
  if (value !== written && `${value} ` !== written) {
    throw new CertificateError('not exactly one PEM block with spaces for its line feeds');
  }
  return der;
}
