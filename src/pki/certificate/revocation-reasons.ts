import type { DerElement } from './der-element.ts';
import { parseBitString } from './der-values.ts';

/** A set of revocation reasons: bit number n of ReasonFlags has the value 2 ** n (RFC 5280 §4.2.1.13). */
export type ReasonFlags = number;

/** By bit number. Bit 0 is unused. */
const reasonNames = [
  undefined,
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

/** The all-reasons of RFC 5280 §6.3.2. A CRL for all reasons also lists certificates that were revoked without one. */
export const ALL_REASONS: ReasonFlags = 0b1_1111_1110;

/**
 * Parses ReasonFlags, an IMPLICIT BIT STRING. Bits without a meaning are ignored.
 *
 * @throws {CertificateError} when it is malformed
 */
export function parseReasonFlags(element: DerElement): ReasonFlags {
  const { bytes } = parseBitString(element);
  const isSet = (bit: number) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  return reasonNames.reduce((flags, name, bit) => (name && isSet(bit) ? flags | (1 << bit) : flags), 0);
}

/** The names of the reasons, separated by commas. */
export function describeReasons(reasons: ReasonFlags): string {
  return reasonNames.filter((name, bit) => name && (reasons & (1 << bit)) !== 0).join(', ') || 'none';
}
