import { CertificateError } from './certificate-error.ts';
import { type DerElement, Tag } from './der.ts';

/**
 * Reads a UTCTime or a GeneralizedTime whose form {@link readDer} has checked (RFC 5280 §4.1.2.5, §5.1.2.4).
 *
 * @returns milliseconds since the epoch
 * @throws {CertificateError} when it is neither
 */
export function readTime({ tag, content }: DerElement): number {
  const text = Buffer.from(content).toString('latin1');
  if (tag === Tag.generalizedTime) return instantOf(text);
  if (tag !== Tag.utcTime) throw new CertificateError('has a time that is neither UTCTime nor GeneralizedTime');
  // RFC 5280 §4.1.2.5.1: 50 is 1950, 49 is 2049.
  return instantOf((text < '50' ? '20' : '19') + text);
}

function instantOf(text: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
