import { CertificateError } from './certificate-error.ts';

/**
 * One element of a DER encoding (ITU-T X.690 §8.1). `tag` is the identifier byte, e.g. 0x30 for SEQUENCE and 0xa0 for
 * the constructed, context-specific [0]; its low five bits are set for every tag number above 30. `content` and `encoded`
 * are new views, not copies: what is short is read from `bytes` in place.
 */
export interface DerElement {
  readonly tag: number;
  /** What was parsed. The content is from `start` to `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Well-formed, but not checked against its type: read it with `der-values.ts`, or treat it as mere bytes. */
  readonly content: Uint8Array;
  readonly encoded: Uint8Array;
  /** The position in the parsed bytes, for messages. */
  readonly offset: number;
  /** The elements of a constructed element, in order; empty for a primitive one. Parsed on first use. */
  readonly children: readonly DerElement[];
}

/** The identifier bytes of the universal types that certificates and CRLs are interpreted with. */
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
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The error for bytes that violate the encoding rules, with the offset at which they do. */
export function malformedDer(problem: string, offset: number): CertificateError {
  return new CertificateError(`not DER: ${problem} (at offset ${offset})`);
}
