import { CertificateError } from '../../pki/certificate/certificate-error.ts';

/** Escapes of the unreserved characters (RFC 3986 §2.3), which no terminator escapes. */
const ESCAPED_UNRESERVED = /%(?:2[DE]|3\d|4[1-9A-F]|5[\dAF]|6[1-9A-F]|7[\dAE])/i;
const ESCAPED_BASE64 = /%(?:2[BF]|3D)/i;
const CAPITAL_DIGIT = /%.?[A-F]/;
const SMALL_DIGIT = /%.?[a-f]/;

/**
 * Undoes the percent-encoding of a PEM (RFC 3986 §2.1). The value must be what the terminator writes for this text:
 * nothing escaped that need not be, nothing bare that it escapes, hex digits in its case.
 *
 * @param bare the characters beside the unreserved ones that the terminator leaves as they are
 * @param hexCase the case of its hex digits
 * @throws {CertificateError}
 */
export function unescapePem(value: string, bare: '' | '+/=' = '', hexCase: 'upper' | 'lower' = 'upper'): string {
  const foreign = bare === '' ? /[^A-Za-z0-9._~%-]/ : /[^A-Za-z0-9._~%+/=-]/;
  if (foreign.test(value)) {
    throw new CertificateError('not an escaped PEM: a character that the terminator escapes stands bare in it');
  }
  if (ESCAPED_UNRESERVED.test(value) || (bare !== '' && ESCAPED_BASE64.test(value))) {
    throw new CertificateError('not an escaped PEM: a character that the terminator leaves bare is escaped in it');
  }
  if ((hexCase === 'upper' ? SMALL_DIGIT : CAPITAL_DIGIT).test(value)) {
    throw new CertificateError(`not an escaped PEM: the terminator writes hex digits in ${hexCase} case`);
  }
  try {
    return decodeURIComponent(value);
  } catch {
    throw new CertificateError('not an escaped PEM: malformed percent-encoding');
  }
}
