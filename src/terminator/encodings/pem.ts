import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeForwardedPem, encodePem } from '../../pki/certificate/pem.ts';
import type { DecodedCertificates } from '../format.ts';
import { requireChain, requireChainLength } from './der.ts';

/** Escapes that occur in no PEM, and characters that are escaped in all of them, by the case of the hex digits. */
const UNUSUAL = { upper: /[^A-Za-z0-9._~%-]|%(?!0A|20|2B|2F|3D)/, lower: /[^A-Za-z0-9._~%-]|%(?!0a|20|2b|2f|3d)/ };

/** Escaped unreserved characters (RFC 3986 §2.3), which no terminator writes. */
const ESCAPED_UNRESERVED = /%(?:2[DE]|3\d|4[1-9A-F]|5[\dAF]|6[1-9A-F]|7[\dAE])/i;
const ESCAPED_BASE64 = /%(?:2[BF]|3D)/i;
const UPPER_CASE_DIGIT = /%.?[A-F]/;
const LOWER_CASE_DIGIT = /%.?[a-f]/;

/**
 * Decodes a percent-encoded PEM (RFC 3986 §2.1). The value must be exactly what the terminator writes for this text:
 * which characters it escapes, and the case of its hex digits.
 *
 * @param bare the characters that the terminator leaves unescaped, in addition to the unreserved ones
 * @param hexCase the case of its hex digits
 * @throws {CertificateError}
 */
export function unescapePem(value: string, bare: '' | '+/=' = '', hexCase: 'upper' | 'lower' = 'upper'): string {
  // In one pass, since nearly every value passes.
  if (bare === '' && !UNUSUAL[hexCase].test(value)) return decodeURIComponent(value);
  const mustBeEscaped = bare === '' ? /[^A-Za-z0-9._~%-]/ : /[^A-Za-z0-9._~%+/=-]/;
  if (mustBeEscaped.test(value)) {
    throw new CertificateError('not an escaped PEM: contains an unescaped character that the terminator escapes');
  }
  if (ESCAPED_UNRESERVED.test(value) || (bare !== '' && ESCAPED_BASE64.test(value))) {
    throw new CertificateError('not an escaped PEM: contains an escaped character that the terminator does not escape');
  }
  if ((hexCase === 'upper' ? LOWER_CASE_DIGIT : UPPER_CASE_DIGIT).test(value)) {
    throw new CertificateError(`not an escaped PEM: the terminator writes hex digits in ${hexCase} case`);
  }
  try {
    return decodeURIComponent(value);
  } catch {
    throw new CertificateError('not an escaped PEM: malformed percent-encoding');
  }
}

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/**
 * Decodes the concatenated PEM blocks of a leaf and its chain.
 *
 * @throws {CertificateError}
 */
export function decodeConcatenatedPem(text: string): DecodedCertificates {
  let end = endOfBlock(text, 0);
  const leaf = decodeForwardedPem(text.slice(0, end));
  const chain: Uint8Array[] = [];
  while (end < text.length) {
    const start = end;
    if (text[start - 1] !== '\n') throw new CertificateError('no line feed between two PEM blocks');
    requireChainLength(chain.length + 1);
    end = endOfBlock(text, start);
    chain.push(decodeForwardedPem(text.slice(start, end)));
  }
  return { leaf, chain: requireChain(chain) };
}

function endOfBlock(text: string, start: number): number {
  const next = text.indexOf(BEGIN, start + 1);
  return next === -1 ? text.length : next;
}

/**
 * Decodes a PEM whose line feeds the terminator replaced with spaces. The value must be exactly the encoding of the
 * decoded bytes. The last space is optional: a field value has no trailing whitespace (RFC 9110 §5.5).
 *
 * @throws {CertificateError}
 */
export function decodeSpacedPem(value: string): Uint8Array {
  const start = `${BEGIN} `;
  const end = value.indexOf(END);
  if (!value.startsWith(start) || end === -1) {
    throw new CertificateError('not a PEM with spaces in place of line feeds');
  }
  const der = Buffer.from(value.slice(start.length, end), 'base64');
  const exact = encodePem(der).replaceAll('\n', ' ');
  if (value !== exact && `${value} ` !== exact) {
    throw new CertificateError('not exactly one PEM block with spaces in place of line feeds');
  }
  return der;
}

/**
 * Encodes a certificate as percent-encoded PEM.
 *
 * @param bare the characters that the terminator leaves unescaped, in addition to the unreserved ones
 */
export function encodeEscapedPem(der: Uint8Array, bare: '' | '+/=' = ''): string {
  const pem = encodePem(der);
  return bare === '' ? encodeURIComponent(pem) : pem.replaceAll(' ', '%20').replaceAll('\n', '%0A');
}

/** Encodes a certificate as PEM with spaces for its line feeds, and none at the end. */
export function encodeSpacedPem(der: Uint8Array): string {
  return encodePem(der).trimEnd().replaceAll('\n', ' ');
}
