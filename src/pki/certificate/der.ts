import { CertificateError } from './certificate-error.ts';

/**
 * Reads a UTCTime or a GeneralizedTime whose form {@link parseDer} has checked (RFC 5280 §4.1.2.5, §5.1.2.4).
 *
 * @returns milliseconds since the epoch
 * @throws {CertificateError} when it is neither
 */
export function parseTime({ tag, content }: DerElement): number {
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

/**
 * One element of a DER encoding (ITU-T X.690 §8.1). `tag` is the identifier octet as it stands
 * (0x30 SEQUENCE, 0xa0 context [0] constructed, …); `content` and `encoded` are views, not copies.
 */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly encoded: Uint8Array;
  /** The elements of a constructed element, in order; empty for a primitive one. */
  readonly children: readonly DerElement[];
}

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

const CONSTRUCTED = 0x20;
const MAX_DEPTH = 24;
/** Of a length; a tree is read of what is at most 16 MiB, one octet less. */
const MAX_LENGTH_OCTETS = 4;
const MAX_OBJECT_IDENTIFIER_OCTETS = 128;

/**
 * Reads exactly one DER element that fills `bytes`, strictly: what BER allows and DER does not is refused, all the
 * way down (X.690 §10 and §11). Signature checks work over bytes and parsers over meaning; where two encodings have
 * one meaning, two readers can see two certificates.
 *
 * @throws {CertificateError} naming the rule and the offset
 */
export function parseDer(bytes: Uint8Array): DerElement {
  const element = readElement(bytes, 0, 0);
  const trailing = bytes.length - element.encoded.length;
  if (trailing > 0) throw new CertificateError(`${trailing} trailing bytes after the DER`);
  return element;
}

/** Where an element's content stands, for a reader who does not want a tree of it. */
export interface DerHeader {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the header of the element at this offset, and no more of it.
 *
 * @param limit where what contains it ends
 * @throws {CertificateError}
 */
export function parseDerHeader(bytes: Uint8Array, offset: number, limit: number): DerHeader {
  const tag = readTag(bytes, offset);
  const { length, start } = readLength(bytes, offset + 1, MAX_LENGTH_OCTETS);
  const end = start + length;
  if (end > limit) throw malformedDer('an element is longer than what contains it', offset);
  return { tag, start, end };
}

function readElement(bytes: Uint8Array, offset: number, depth: number): DerElement {
  if (depth > MAX_DEPTH) throw malformedDer(`nested deeper than ${MAX_DEPTH} levels`, offset);
  const tag = readTag(bytes, offset);
  const { length, start } = readLength(bytes, offset + 1, MAX_LENGTH_OCTETS - 1);
  const end = start + length;
  if (end > bytes.length) throw malformedDer('an element is longer than what contains it', offset);
  const content = bytes.subarray(start, end);
  const children = tag & CONSTRUCTED ? readChildren(bytes.subarray(0, end), start, depth + 1) : [];
  const element = { tag, content, encoded: bytes.subarray(offset, end), children };
  contentRules[tag]?.(element, offset);
  return element;
}

function readChildren(bytes: Uint8Array, start: number, depth: number): DerElement[] {
  const children: DerElement[] = [];
  for (let offset = start; offset < bytes.length; ) {
    const child = readElement(bytes, offset, depth);
    children.push(child);
    offset += child.encoded.length;
  }
  return children;
}

/** X.690 §8.1.2. Certificates use no tag numbers above 30, and §10.2 forbids constructed strings. */
function readTag(bytes: Uint8Array, offset: number): number {
  const tag = bytes[offset];
  if (tag === undefined) throw malformedDer('the encoding ends early', offset);
  if ((tag & 0x1f) === 0x1f) throw malformedDer('a tag number above 30', offset);
  const universal = (tag & 0xc0) === 0;
  if (universal && !(tag in contentRules)) throw malformedDer(`tag 0x${tag.toString(16)} is not DER`, offset);
  return tag;
}

/** X.690 §10.1: the definite form, in the fewest octets. */
function readLength(bytes: Uint8Array, offset: number, maxOctets: number): { length: number; start: number } {
  const first = bytes[offset];
  if (first === undefined) throw malformedDer('the encoding ends early', offset);
  if (first < 0x80) return { length: first, start: offset + 1 };
  if (first === 0x80) throw malformedDer('indefinite length is BER, not DER', offset);
  const octets = first & 0x7f;
  if (octets > maxOctets) throw malformedDer(`a length above ${2 ** (8 * maxOctets - 20)} MiB`, offset);
  let length = 0;
  for (let i = 1; i <= octets; i++) length = length * 256 + (bytes[offset + i] ?? Number.NaN);
  if (Number.isNaN(length)) throw malformedDer('the encoding ends early', offset);
  if (length < 0x80 || length < 256 ** (octets - 1)) throw malformedDer('a length not in the fewest octets', offset);
  return { length, start: offset + 1 + octets };
}

type ContentRule = (element: DerElement, offset: number) => void;

const anyContent: ContentRule = () => {};

const minimalInteger: ContentRule = ({ content }, offset) => {
  const [first, second] = content;
  if (first === undefined) throw malformedDer('an INTEGER without content', offset);
  if (second === undefined) return;
  const padded = (first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (padded) throw malformedDer('an INTEGER not in the fewest octets', offset);
};

const booleanValue: ContentRule = ({ content }, offset) => {
  const value = content[0];
  if (content.length !== 1 || (value !== 0x00 && value !== 0xff)) throw malformedDer('a BOOLEAN not 00 or FF', offset);
};

const zeroPaddedBits: ContentRule = ({ content }, offset) => {
  const unused = content[0];
  if (unused === undefined || unused > 7) throw malformedDer('a BIT STRING without a count of unused bits', offset);
  const last = content.length > 1 ? (content.at(-1) ?? 0) : 0;
  const noBitsToLeaveUnused = content.length === 1 && unused > 0;
  if (noBitsToLeaveUnused || (last & (2 ** unused - 1)) !== 0) throw malformedDer('unused bits that are not 0', offset);
};

const noContent: ContentRule = ({ content }, offset) => {
  if (content.length !== 0) throw malformedDer('a NULL with content', offset);
};

const minimalArcs: ContentRule = ({ content }, offset) => {
  if (content.length > MAX_OBJECT_IDENTIFIER_OCTETS)
    throw malformedDer('an OBJECT IDENTIFIER that is too long', offset);
  let startsArc = true;
  for (const octet of content) {
    if (startsArc && octet === 0x80) throw malformedDer('an OBJECT IDENTIFIER arc not in the fewest octets', offset);
    startsArc = octet < 0x80;
  }
  if (content.length === 0 || !startsArc) throw malformedDer('an OBJECT IDENTIFIER that ends early', offset);
};

/** X.690 §11.7, §11.8 as RFC 5280 §4.1.2.5 narrows them: seconds, no fraction, Z; and a day that the calendar has. */
const timeOf =
  (digits: 12 | 14): ContentRule =>
  ({ content }, offset) => {
    const text = Buffer.from(content).toString('latin1');
    if (text.length !== digits + 1 || !/^\d+Z$/.test(text))
      throw malformedDer('a time that is not digits and Z', offset);
    // Where the century is not written, the 21st serves: from 1950 to 2049 every fourth year is a leap year.
    const [, year, month, day, hour, minute, second] =
      /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(digits === 14 ? text : `20${text}`) ?? [];
    const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
    const instant = Date.parse(iso);
    if (Number.isNaN(instant) || new Date(instant).toISOString() !== iso) {
      throw malformedDer('a time that the calendar does not have', offset);
    }
  };

/** X.690 §11.6: the elements of a SET OF stand in ascending order of their encodings. */
const ascendingSet: ContentRule = ({ children }, offset) => {
  for (const [index, child] of children.entries()) {
    const previous = children[index - 1];
    if (previous && Buffer.compare(previous.encoded, child.encoded) > 0) {
      throw malformedDer('a SET OF whose elements are not in DER order', offset);
    }
  }
};

/** The universal tags that may stand in a certificate. A constructed string (0x24, 0x2c, …) is absent on purpose. */
const contentRules: Readonly<Record<number, ContentRule>> = {
  [Tag.boolean]: booleanValue,
  [Tag.integer]: minimalInteger,
  [Tag.bitString]: zeroPaddedBits,
  [Tag.octetString]: anyContent,
  [Tag.null]: noContent,
  [Tag.objectIdentifier]: minimalArcs,
  [Tag.enumerated]: minimalInteger,
  [Tag.utf8String]: anyContent,
  [Tag.numericString]: anyContent,
  [Tag.printableString]: anyContent,
  [Tag.teletexString]: anyContent,
  [Tag.ia5String]: anyContent,
  [Tag.utcTime]: timeOf(12),
  [Tag.generalizedTime]: timeOf(14),
  [Tag.visibleString]: anyContent,
  [Tag.universalString]: anyContent,
  [Tag.bmpString]: anyContent,
  [Tag.sequence]: anyContent,
  [Tag.set]: ascendingSet,
};

/** The dotted form of an OBJECT IDENTIFIER's content, e.g. `2.5.4.3` (X.690 §8.19). */
export function parseObjectIdentifier(content: Uint8Array): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of content) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [joined = 0n, ...rest] = arcs;
  const root = joined < 80n ? joined / 40n : 2n;
  return [root, joined - root * 40n, ...rest].join('.');
}

function malformedDer(what: string, offset: number): CertificateError {
  return new CertificateError(`not DER: ${what} (at offset ${offset})`);
}
