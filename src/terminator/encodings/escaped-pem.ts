import { CertificateError } from '../../certificate/certificate-error.ts';

/**
 * Undoes the percent-encoding of a PEM.
 *
 * @param bare the characters beside the unreserved ones (RFC 3986 §2.3) that the terminator leaves as they are
 * @throws {CertificateError} where the terminator would have escaped what stands bare
 */
export function unescapePem(value: string, bare: '' | '+/=' = ''): string {
  const foreign = bare === '' ? /[^A-Za-z0-9._~%-]/ : /[^A-Za-z0-9._~%+/=-]/;
  if (foreign.test(value)) {
    throw new CertificateError('not an escaped PEM: a character that the terminator escapes stands bare in it');
  }
  try {
    return decodeURIComponent(value);
  } catch {
    throw new CertificateError('not an escaped PEM: malformed percent-encoding');
  }
}
