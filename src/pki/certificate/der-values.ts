import { CertificateError } from './certificate-error.ts';
import { type DerElement, malformedDer, Tag } from './der-element.ts';

/**
 * The values of primitive elements. Each function accepts only the one encoding that DER allows for a value (X.690 §8,
 * §11), so that a value that is interpreted never has two.
 */

/** @throws {CertificateError} when it is neither 00 nor FF (X.690 §11.1) */
export function parseBoolean({ content, offset }: DerElement): boolean {
  const [value] = content;
  if (content.length === 1 && (value === 0x00 || value === 0xff)) return value === 0xff;
  const hex = Buffer.from(content.subarray(0, 8)).toString('hex') || 'no content';
  throw malformedDer(`a BOOLEAN of ${hex}; FALSE is 00 and TRUE is FF`, offset);
}

/**
 * The content bytes of an INTEGER: two's complement, most significant byte first.
 *
 * @throws {CertificateError} when it has no content or is not minimally encoded (X.690 §8.3)
 */
export function parseInteger({ content, offset }: DerElement): Uint8Array {
  const [first, second] = content;
  if (first === undefined) throw malformedDer('an INTEGER without content', offset);
  if (second === undefined) return content;
  const isPadded = (first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (isPadded) throw malformedDer('an INTEGER that is not minimally encoded', offset);
  return content;
}

/**
 * The bytes of a BIT STRING. Bits that are not used are 0.
 *
 * @throws {CertificateError} when the unused bits are not counted, or not 0 (X.690 §8.6, §11.2)
 */
export function parseBitString({ content, offset }: DerElement): { bytes: Uint8Array; unusedBits: number } {
  const [unusedBits] = content;
  if (unusedBits === undefined || unusedBits > 7) {
    throw malformedDer('a BIT STRING without a count of unused bits', offset);
  }
  const bytes = content.subarray(1);
  const isMissing = bytes.length === 0 && unusedBits > 0;
  if (isMissing || ((bytes.at(-1) ?? 0) & (2 ** unusedBits - 1)) !== 0) {
    throw malformedDer('a BIT STRING with unused bits that are not 0', offset);
  }
  return { bytes, unusedBits };
}

/**
 * The dotted form of an OBJECT IDENTIFIER's content, e.g. `2.5.4.3` (X.690 §8.19).
 *
 * @throws {CertificateError} when an arc is not minimally encoded or incomplete
 */
export function parseObjectIdentifier(content: Uint8Array): string {
  const [joined, ...rest] = arcsOf(content);
  if (joined === undefined) throw new CertificateError('not DER: an OBJECT IDENTIFIER without content');
  const root = joined < 80n ? joined / 40n : 2n;
  return [root, joined - root * 40n, ...rest].join('.');
}

const MAX_SMALL_ARC_BYTES = 7;

/** X.690 §8.19.2: seven bits of an arc in each byte; the high bit means that another byte follows. */
function arcsOf(content: Uint8Array): bigint[] {
  const arcs: bigint[] = [];
  let start = 0;
  for (const [index, byte] of content.entries()) {
    if (index === start && byte === 0x80) {
      throw new CertificateError('not DER: an OBJECT IDENTIFIER with an arc that is not minimally encoded');
    }
    if (byte >= 0x80) continue;
    arcs.push(arcOf(content.subarray(start, index + 1)));
    start = index + 1;
  }
  if (start < content.length) throw new CertificateError('not DER: a truncated OBJECT IDENTIFIER');
  return arcs;
}

/** A long arc is converted at once: adding one byte after the other takes quadratic time. */
function arcOf(bytes: Uint8Array): bigint {
  if (bytes.length <= MAX_SMALL_ARC_BYTES) return BigInt(bytes.reduce((arc, byte) => arc * 128 + (byte & 0x7f), 0));
  return BigInt(`0b${Array.from(bytes, (byte) => (byte & 0x7f).toString(2).padStart(7, '0')).join('')}`);
}

/** RFC 5280 §4.1.2.5 narrows both types to seconds, no fraction, and Z; DER would allow a fraction (X.690 §11.7). */
const timeFormats: Readonly<Record<number, { readonly name: string; readonly form: string }>> = {
  [Tag.utcTime]: { name: 'UTCTime', form: 'YYMMDDHHMMSSZ' },
  [Tag.generalizedTime]: { name: 'GeneralizedTime', form: 'YYYYMMDDHHMMSSZ' },
};

/**
 * Parses a UTCTime or a GeneralizedTime (RFC 5280 §4.1.2.5, §5.1.2.4).
 *
 * @returns milliseconds since the epoch
 * @throws {CertificateError} when the element has another type or format, or the date does not exist
 */
export function parseTime({ tag, content }: DerElement): number {
  const format = timeFormats[tag];
  if (!format) throw new CertificateError('has a time that is neither UTCTime nor GeneralizedTime');
  const text = Buffer.from(content.subarray(0, 40)).toString('latin1');
  if (content.length !== format.form.length || !/^\d+Z$/.test(text)) {
    throw new CertificateError(
      `has a ${format.name} that is not ${format.form}: ${JSON.stringify(text)} (RFC 5280 §4.1.2.5)`,
    );
  }
  // RFC 5280 §4.1.2.5.1: 50 is 1950, 49 is 2049.
  const century = text < '50' ? '20' : '19';
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(tag === Tag.utcTime ? century + text : text) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const instant = Date.parse(iso);
  if (!Number.isNaN(instant) && new Date(instant).toISOString() === iso) return instant;
  throw new CertificateError(`has a time that does not exist in the calendar: ${iso}`);
}
