import { CertificateError } from './certificate-error.ts';

/**
 * One element of a DER encoding (ITU-T X.690 §8.1). `tag` is the identifier byte, e.g. 0x30 for SEQUENCE and 0xa0 for
 * the constructed, context-specific [0]. `content` and `encoded` are views, not copies.
 */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly encoded: Uint8Array;
  /** The elements of a constructed element, in order; empty for a primitive one. */
  readonly children: readonly DerElement[];
}

/** The identifier bytes of the universal types that certificates and CRLs use. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The dotted form of an OBJECT IDENTIFIER's content, e.g. `2.5.4.3` (X.690 §8.19). */
export function parseObjectIdentifier(content: Uint8Array): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [joined = 0n, ...rest] = arcs;
  const root = joined < 80n ? joined / 40n : 2n;
  return [root, joined - root * 40n, ...rest].join('.');
}

/**
 * Parses a UTCTime or a GeneralizedTime whose format `parseDer` has checked (RFC 5280 §4.1.2.5, §5.1.2.4).
 *
 * @returns milliseconds since the epoch
 * @throws {CertificateError} when the element has another type
 */
export function parseTime({ tag, content }: DerElement): number {
  const text = Buffer.from(content).toString('latin1');
  if (tag === Tag.generalizedTime) return parseTimestamp(text);
  if (tag !== Tag.utcTime) throw new CertificateError('has a time that is neither UTCTime nor GeneralizedTime');
  // RFC 5280 §4.1.2.5.1: 50 is 1950, 49 is 2049.
  return parseTimestamp((text < '50' ? '20' : '19') + text);
}

function parseTimestamp(text: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The error for bytes that violate the encoding rules, with the offset at which they do. */
export function malformedDer(problem: string, offset: number): CertificateError {
  return new CertificateError(`not DER: ${problem} (at offset ${offset})`);
}
