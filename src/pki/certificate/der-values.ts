import { CertificateError } from './certificate-error.ts';
import { type DerElement, malformedDer, Tag } from './der-element.ts';

/**
 * The values of primitive elements. Each function accepts only the one encoding that DER allows for a value (X.690 §8,
 * §11), so that a value that is interpreted never has two.
 */

/** @throws {CertificateError} when it is neither 00 nor FF (X.690 §11.1) */
export function parseBoolean(element: DerElement): boolean {
  const { bytes, start, end, offset } = element;
  const value = bytes[start];
  if (end - start === 1 && (value === 0x00 || value === 0xff)) return value === 0xff;
  const hex = Buffer.from(element.content.subarray(0, 8)).toString('hex') || 'no content';
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
export function parseTime(element: DerElement): number {
  const { tag, bytes, start, end } = element;
  const format = timeFormats[tag];
  if (!format) throw new CertificateError('has a time that is neither UTCTime nor GeneralizedTime');
  const { name, form } = format;
  if (end - start !== form.length || bytes[end - 1] !== ZONE || !areDigits(bytes, start, end - 1)) {
    const text = JSON.stringify(Buffer.from(element.content.subarray(0, 40)).toString('latin1'));
    throw new CertificateError(`has a ${name} that is not ${form}: ${text} (RFC 5280 §4.1.2.5)`);
  }
  if (tag === Tag.generalizedTime) return parseInstant(numberIn(bytes, start, 4), bytes, start + 4);
  // RFC 5280 §4.1.2.5.1: 50 is 1950, 49 is 2049.
  const year = numberIn(bytes, start, 2);
  return parseInstant(year < 50 ? 2000 + year : 1900 + year, bytes, start + 2);
}

const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;
const ZONE = 0x5a;

function areDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (byte < DIGIT_ZERO || byte > DIGIT_NINE) return false;
  }
  return true;
}

function numberIn(bytes: Uint8Array, start: number, digits: number): number {
  let value = 0;
  for (let index = start; index < start + digits; index++) value = value * 10 + (bytes[index] ?? 0) - DIGIT_ZERO;
  return value;
}

/** The calendar repeats after 400 years. Without them, `Date.UTC` would take a year below 100 for one after 1900. */
const CYCLE_YEARS = 400;
const CYCLE_MILLISECONDS = 146_097 * 86_400_000;

const DAYS_OF_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** 0 for a month that does not exist. */
function daysIn(year: number, month: number): number {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeapYear ? 29 : (DAYS_OF_MONTHS[month - 1] ?? 0);
}

/** @param start of MMDDHHMMSS */
function parseInstant(year: number, bytes: Uint8Array, start: number): number {
  const month = numberIn(bytes, start, 2);
  const day = numberIn(bytes, start + 2, 2);
  const hour = numberIn(bytes, start + 4, 2);
  const minute = numberIn(bytes, start + 6, 2);
  const second = numberIn(bytes, start + 8, 2);
  const isInCalendar = day >= 1 && day <= daysIn(year, month);
  if (isInCalendar && hour < 24 && minute < 60 && second < 60) {
    return Date.UTC(year + CYCLE_YEARS, month - 1, day, hour, minute, second) - CYCLE_MILLISECONDS;
  }
  const two = (number: number) => String(number).padStart(2, '0');
  const iso = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}.000Z`;
  throw new CertificateError(`has a time that does not exist in the calendar: ${iso}`);
}
