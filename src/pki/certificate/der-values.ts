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
  let text = '';
  let start = 0;
  for (let index = 0; index < content.length; index++) {
    const byte = content[index] ?? 0;
    if (index === start && byte === 0x80) {
      throw new CertificateError('not DER: an OBJECT IDENTIFIER with an arc that is not minimally encoded');
    }
    if (byte >= 0x80) continue;
    const arc = arcOf(content, start, index + 1);
    text += start === 0 ? firstArcs(arc) : `.${arc}`;
    start = index + 1;
  }
  if (start < content.length) throw new CertificateError('not DER: a truncated OBJECT IDENTIFIER');
  if (text === '') throw new CertificateError('not DER: an OBJECT IDENTIFIER without content');
  return text;
}

/** The first two arcs are joined into one (X.690 §8.19.4). */
function firstArcs(joined: number | bigint): string {
  if (joined >= 80) return `2.${typeof joined === 'bigint' ? joined - 80n : joined - 80}`;
  return `${Math.floor(Number(joined) / 40)}.${Number(joined) % 40}`;
}

const MAX_SMALL_ARC_BYTES = 7;

/**
 * X.690 §8.19.2: seven bits of an arc in each byte; the high bit means that another byte follows. A long arc is converted
 * at once: adding one byte after the other takes quadratic time.
 */
function arcOf(content: Uint8Array, start: number, end: number): number | bigint {
  if (end - start > MAX_SMALL_ARC_BYTES) {
    const bits = Array.from(content.subarray(start, end), (byte) => (byte & 0x7f).toString(2).padStart(7, '0'));
    return BigInt(`0b${bits.join('')}`);
  }
  let arc = 0;
  for (let index = start; index < end; index++) arc = arc * 128 + ((content[index] ?? 0) & 0x7f);
  return arc;
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
  return parseInstant(tag === Tag.utcTime ? century + text : text);
}

/** @param digits YYYYMMDDHHMMSSZ */
function parseInstant(digits: string): number {
  const field = (start: number, end: number) => Number(digits.slice(start, end));
  const [month, day] = [field(4, 6), field(6, 8)];
  const [hour, minute, second] = [field(8, 10), field(10, 12), field(12, 14)];
  const date = new Date(0);
  date.setUTCFullYear(field(0, 4), month - 1, day);
  const isInCalendar = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (isInCalendar && hour < 24 && minute < 60 && second < 60) return date.setUTCHours(hour, minute, second);
  const iso = digits.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  throw new CertificateError(`has a time that does not exist in the calendar: ${iso}`);
}
