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
  const outer = parseDerHeader(bytes, 0, bytes.length);
  const trailing = bytes.length - outer.end;
  if (trailing > 0) throw new CertificateError(`${trailing} trailing bytes after the DER`);
  if (outer.tag & CONSTRUCTED) requireWellFormed(bytes, outer);
  return elementAt(bytes, 0, bytes.length);
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
  const { tag, next } = parseTag(bytes, offset);
  const { length, start } = parseLength(bytes, next);
  const end = start + length;
  if (end > limit) throw malformedDer('an element extends past its enclosing element', offset);
  return { tag, start, end };
}

/** Without recursion, so that nesting needs no limit. */
function requireWellFormed(bytes: Uint8Array, outer: DerHeader): void {
  const ends = [outer.end];
  let at = outer.start;
  for (let end = ends.at(-1); end !== undefined; end = ends.at(-1)) {
    if (at === end) {
      ends.pop();
      continue;
    }
    const inner = parseDerHeader(bytes, at, end);
    const isConstructed = (inner.tag & CONSTRUCTED) !== 0;
    if (isConstructed) ends.push(inner.end);
    at = isConstructed ? inner.start : inner.end;
  }
}

function elementAt(bytes: Uint8Array, offset: number, limit: number): DerElement {
  const { tag, start, end } = parseDerHeader(bytes, offset, limit);
  let children: readonly DerElement[] | undefined;
  return {
    tag,
    content: bytes.subarray(start, end),
    encoded: bytes.subarray(offset, end),
    offset,
    get children() {
      children ??= tag & CONSTRUCTED ? elementsIn(bytes, start, end) : [];
      return children;
    },
  };
}

function elementsIn(bytes: Uint8Array, start: number, end: number): DerElement[] {
  const elements: DerElement[] = [];
  for (let offset = start; offset < end; ) {
    const element = elementAt(bytes, offset, end);
    elements.push(element);
    offset += element.encoded.length;
  }
  return elements;
}

/** X.690 §8.1.2: the identifier byte, and where the length begins. Numbers above 30 are skipped: nothing uses them. */
function parseTag(bytes: Uint8Array, offset: number): { tag: number; next: number } {
  const tag = bytes[offset];
  if (tag === undefined) throw malformedDer('the encoding is truncated', offset);
  if ((tag & HIGH_TAG_NUMBER) !== HIGH_TAG_NUMBER) {
    if (tag < 0x40) requireForm(tag, offset);
    return { tag, next: offset + 1 };
  }
  let last = offset + 1;
  while ((bytes[last] ?? 0) >= 0x80) last += 1;
  if (bytes[last] === undefined) throw malformedDer('the encoding is truncated', offset);
  const [first = 0] = bytes.subarray(offset + 1);
  if (first === 0x80 || first < HIGH_TAG_NUMBER) {
    throw malformedDer('a tag number that is not minimally encoded', offset);
  }
  return { tag, next: last + 1 };
}

/** EXTERNAL, EMBEDDED PDV, SEQUENCE, SET and CHARACTER STRING. */
const constructedTypes: ReadonlySet<number> = new Set([8, 11, 16, 17, 29]);
const RESERVED_TYPE = 15;

/** Each universal type has one form: X.690 §10.2 forbids constructed strings. */
function requireForm(tag: number, offset: number): void {
  const type = tag & ~CONSTRUCTED;
  if (type === 0) throw malformedDer('tag 0x0 is an end-of-contents marker, which is BER', offset);
  if (type === RESERVED_TYPE || constructedTypes.has(type) === tag >= CONSTRUCTED) return;
  const form = tag >= CONSTRUCTED ? 'constructed' : 'primitive';
  throw malformedDer(`tag 0x${tag.toString(16)} has the ${form} form, which DER forbids for this type`, offset);
}

/** X.690 §10.1: the definite form, in the fewest bytes. */
function parseLength(bytes: Uint8Array, offset: number): { length: number; start: number } {
  const first = bytes[offset];
  if (first === undefined) throw malformedDer('the encoding is truncated', offset);
  if (first < 0x80) return { length: first, start: offset + 1 };
  if (first === 0x80) throw malformedDer('indefinite length is BER, not DER', offset);
  const start = offset + 1 + (first & 0x7f);
  if (start > bytes.length) throw malformedDer('the encoding is truncated', offset);
  const digits = bytes.subarray(offset + 1, start);
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  if (length < 0x80 || digits[0] === 0) throw malformedDer('a length that is not minimally encoded', offset);
  return { length, start };
}
