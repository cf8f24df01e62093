import { CertificateError } from './certificate-error.ts';
import { type DerElement, malformedDer } from './der-element.ts';

const CONSTRUCTED = 0x20;
/** The low bits of the first identifier byte if the tag number is above 30, and follows. */
const HIGH_TAG_NUMBER = 0x1f;

/**
 * Parses exactly one DER element that fills `bytes`. At every level, also below elements that nothing interprets, tags
 * and lengths must be in the one form that DER allows, and elements must fill the element that contains them (X.690 §8.1,
 * §10.1, §10.2). Signatures cover bytes while parsers see meaning: if one meaning had two encodings, two parsers could
 * see two certificates.
 *
 * The content of a primitive element is checked where it is interpreted (`der-values.ts`). What is only carried along,
 * such as an otherName, can be of any type.
 *
 * @throws {CertificateError} naming the violated rule and the offset
 */
export function parseDer(bytes: Uint8Array): DerElement {
  const outer = new ParsedElement(bytes, 0, bytes.length);
  const trailing = bytes.length - outer.end;
  if (trailing > 0) throw new CertificateError(`${trailing} trailing bytes after the DER`);
  if (outer.tag & CONSTRUCTED) requireWellFormed(bytes, outer.start, outer.end);
  return outer;
}

/** The tag of an element and the range of its content, for inputs too large to build a tree of. */
export interface DerHeader {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Parses only the header of the element at this offset.
 *
 * @param limit the end of the enclosing element
 * @throws {CertificateError}
 */
export function parseDerHeader(bytes: Uint8Array, offset: number, limit: number): DerHeader {
  const start = startOfContent(bytes, offset);
  return { tag: bytes[offset] ?? 0, start, end: endOfContent(bytes, offset, start, limit) };
}

/** Without recursion, so that nesting needs no limit. */
function requireWellFormed(bytes: Uint8Array, start: number, end: number): void {
  const ends = [end];
  let at = start;
  for (let limit = ends.at(-1); limit !== undefined; limit = ends.at(-1)) {
    if (at === limit) {
      ends.pop();
      continue;
    }
    const content = startOfContent(bytes, at);
    const next = endOfContent(bytes, at, content, limit);
    const isConstructed = ((bytes[at] ?? 0) & CONSTRUCTED) !== 0;
    if (isConstructed) ends.push(next);
    at = isConstructed ? content : next;
  }
}

/** Views are created on demand: of most elements, only the tag or the children are read. */
class ParsedElement implements DerElement {
  readonly tag: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  #children: readonly DerElement[] | undefined;

  /** @param limit the end of the enclosing element */
  constructor(bytes: Uint8Array, offset: number, limit: number) {
    this.start = startOfContent(bytes, offset);
    this.end = endOfContent(bytes, offset, this.start, limit);
    this.tag = bytes[offset] ?? 0;
    this.offset = offset;
    this.bytes = bytes;
  }

  get content(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  get encoded(): Uint8Array {
    return this.bytes.subarray(this.offset, this.end);
  }

  get children(): readonly DerElement[] {
    this.#children ??= this.tag & CONSTRUCTED ? elementsIn(this.bytes, this.start, this.end) : NO_ELEMENTS;
    return this.#children;
  }
}

const NO_ELEMENTS: readonly DerElement[] = [];

function elementsIn(bytes: Uint8Array, start: number, end: number): DerElement[] {
  const elements: DerElement[] = [];
  for (let offset = start; offset < end; ) {
    const element = new ParsedElement(bytes, offset, end);
    elements.push(element);
    offset = element.end;
  }
  return elements;
}

function startOfContent(bytes: Uint8Array, offset: number): number {
  return endOfLength(bytes, endOfTag(bytes, offset));
}

/** @param limit the end of the enclosing element */
function endOfContent(bytes: Uint8Array, offset: number, start: number, limit: number): number {
  const end = start + contentLength(bytes, offset, start);
  if (end > limit) throw malformedDer('an element extends past its enclosing element', offset);
  return end;
}

/** X.690 §8.1.2: where the length begins. Tag numbers above 30 are skipped: nothing uses them. */
function endOfTag(bytes: Uint8Array, offset: number): number {
  const tag = bytes[offset];
  if (tag === undefined) throw malformedDer('the encoding is truncated', offset);
  if ((tag & HIGH_TAG_NUMBER) !== HIGH_TAG_NUMBER) {
    if (tag < 0x40) requireForm(tag, offset);
    return offset + 1;
  }
  let last = offset + 1;
  while ((bytes[last] ?? 0) >= 0x80) last += 1;
  if (bytes[last] === undefined) throw malformedDer('the encoding is truncated', offset);
  const first = bytes[offset + 1] ?? 0;
  if (first === 0x80 || first < HIGH_TAG_NUMBER) {
    throw malformedDer('a tag number that is not minimally encoded', offset);
  }
  return last + 1;
}

/** A bit for each type: EXTERNAL, EMBEDDED PDV, SEQUENCE, SET and CHARACTER STRING. */
const CONSTRUCTED_TYPES = (1 << 8) | (1 << 11) | (1 << 16) | (1 << 17) | (1 << 29);
const RESERVED_TYPE = 15;

/** Each universal type has one form: X.690 §10.2 forbids constructed strings. */
function requireForm(tag: number, offset: number): void {
  const type = tag & ~CONSTRUCTED;
  if (type === 0) throw malformedDer('tag 0x0 is an end-of-contents marker, which is BER', offset);
  const mustBeConstructed = (CONSTRUCTED_TYPES & (1 << type)) !== 0;
  if (type === RESERVED_TYPE || mustBeConstructed === tag >= CONSTRUCTED) return;
  const form = tag >= CONSTRUCTED ? 'constructed' : 'primitive';
  throw malformedDer(`tag 0x${tag.toString(16)} has the ${form} form, which DER forbids for this type`, offset);
}

/** X.690 §10.1: where the content begins. The length is in the definite form, in the fewest bytes. */
function endOfLength(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset];
  if (first === undefined) throw malformedDer('the encoding is truncated', offset);
  if (first < 0x80) return offset + 1;
  if (first === 0x80) throw malformedDer('indefinite length is BER, not DER', offset);
  const start = offset + 1 + (first & 0x7f);
  if (start > bytes.length) throw malformedDer('the encoding is truncated', offset);
  const isShort = start === offset + 2 && (bytes[offset + 1] ?? 0) < 0x80;
  if (isShort || bytes[offset + 1] === 0) throw malformedDer('a length that is not minimally encoded', offset);
  return start;
}

/** The length: one byte, or, after 0x80 plus their number, its digits. */
function contentLength(bytes: Uint8Array, offset: number, start: number): number {
  // Nearly every header has one byte of each.
  if (start === offset + 2) return bytes[offset + 1] ?? 0;
  const first = endOfTag(bytes, offset);
  if (start === first + 1) return bytes[first] ?? 0;
  let length = 0;
  for (let digit = first + 1; digit < start; digit++) length = length * 256 + (bytes[digit] ?? 0);
  return length;
}
