import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeForwardedPem, encodePem } from '../../pki/certificate/pem.ts';
import type { DecodedCertificates } from '../format.ts';
import { requireChain, requireChainLength } from './der.ts';

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

const BEGIN = '-----BEGIN CERTIFICATE-----';

/**
 * Decodes the PEM blocks of a leaf and its chain, one after another with nothing between them.
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

const SPACED_BEGIN = '-----BEGIN CERTIFICATE----- ';
const END = '-----END CERTIFICATE-----';

/**
 * Decodes a PEM whose line feeds a terminator replaced by spaces. It must be, to the character, what an encoder writes
 * for these bytes. The last space is lost on the way: whitespace at the end is no part of a field's value (RFC 9110 §5.5).
 *
 * @throws {CertificateError}
 */
export function decodeSpacedPem(value: string): Uint8Array {
  const end = value.indexOf(END);
  if (!value.startsWith(SPACED_BEGIN) || end === -1) {
    throw new CertificateError('not a PEM with spaces for its line feeds');
  }
  const der = Buffer.from(value.slice(SPACED_BEGIN.length, end), 'base64');
  const written = encodePem(der).replaceAll('\n', ' ');
  if (value !== written && `${value} ` !== written) {
    throw new CertificateError('not exactly one PEM block with spaces for its line feeds');
  }
  return der;
}

/**
 * Encodes a certificate as percent-encoded PEM.
 *
 * @param bare the characters beside the unreserved ones that the terminator leaves as they are
 */
export function encodeEscapedPem(der: Uint8Array, bare: '' | '+/=' = ''): string {
  const pem = encodePem(der);
  return bare === '' ? encodeURIComponent(pem) : pem.replaceAll(' ', '%20').replaceAll('\n', '%0A');
}

/** Encodes a certificate as PEM with spaces for its line feeds, and none at the end. */
export function encodeSpacedPem(der: Uint8Array): string {
  return encodePem(der).trimEnd().replaceAll('\n', ' ');
}
