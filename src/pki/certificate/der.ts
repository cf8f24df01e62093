import { CertificateError } from './certificate-error.ts';
import { contentRules } from './der-content-rules.ts';
import { type DerElement, malformedDer } from './der-element.ts';

const CONSTRUCTED = 0x20;
const MAX_DEPTH = 24;
/** The bytes of a length field. A tree is built only for inputs of up to 16 MiB, which takes one byte less. */
const MAX_LENGTH_BYTES = 4;

/**
 * Parses exactly one DER element that fills `bytes`. Anything that BER allows and DER does not is rejected, at every
 * level (X.690 §10 and §11). Signatures cover bytes while parsers see meaning: if one meaning had two encodings, two
 * parsers could see two certificates.
 *
 * @throws {CertificateError} naming the violated rule and the offset
 */
export function parseDer(bytes: Uint8Array): DerElement {
  const element = parseElement(bytes, 0, 0);
  const trailing = bytes.length - element.encoded.length;
  if (trailing > 0) throw new CertificateError(`${trailing} trailing bytes after the DER`);
  return element;
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
  const tag = parseTag(bytes, offset);
  const { length, start } = parseLength(bytes, offset + 1, MAX_LENGTH_BYTES);
  const end = start + length;
  if (end > limit) throw malformedDer('an element extends past its enclosing element', offset);
  return { tag, start, end };
}

function parseElement(bytes: Uint8Array, offset: number, depth: number): DerElement {
  if (depth > MAX_DEPTH) throw malformedDer(`nested deeper than ${MAX_DEPTH} levels`, offset);
  const tag = parseTag(bytes, offset);
  const { length, start } = parseLength(bytes, offset + 1, MAX_LENGTH_BYTES - 1);
  const end = start + length;
  if (end > bytes.length) throw malformedDer('an element extends past its enclosing element', offset);
  const content = bytes.subarray(start, end);
  const children = tag & CONSTRUCTED ? parseChildren(bytes.subarray(0, end), start, depth + 1) : [];
  const element = { tag, content, encoded: bytes.subarray(offset, end), children };
  contentRules[tag]?.(element, offset);
  return element;
}

function parseChildren(bytes: Uint8Array, start: number, depth: number): DerElement[] {
  const children: DerElement[] = [];
  for (let offset = start; offset < bytes.length; ) {
    const child = parseElement(bytes, offset, depth);
    children.push(child);
    offset += child.encoded.length;
  }
  return children;
}

/** X.690 §8.1.2. Certificates use no tag numbers above 30, and §10.2 forbids constructed strings. */
function parseTag(bytes: Uint8Array, offset: number): number {
  const tag = bytes[offset];
  if (tag === undefined) throw malformedDer('the encoding is truncated', offset);
  if ((tag & 0x1f) === 0x1f) throw malformedDer('a tag number above 30', offset);
  const isUniversal = (tag & 0xc0) === 0;
  if (isUniversal && !(tag in contentRules)) throw malformedDer(`tag 0x${tag.toString(16)} is not DER`, offset);
  return tag;
}

/** X.690 §10.1: the definite form, in the fewest bytes. */
function parseLength(bytes: Uint8Array, offset: number, maxBytes: number): { length: number; start: number } {
  const first = bytes[offset];
  if (first === undefined) throw malformedDer('the encoding is truncated', offset);
  if (first < 0x80) return { length: first, start: offset + 1 };
  if (first === 0x80) throw malformedDer('indefinite length is BER, not DER', offset);
  const count = first & 0x7f;
  if (count > maxBytes) throw malformedDer(`a length above ${2 ** (8 * maxBytes - 20)} MiB`, offset);
  let length = 0;
  for (let i = 1; i <= count; i++) length = length * 256 + (bytes[offset + i] ?? Number.NaN);
  if (Number.isNaN(length)) throw malformedDer('the encoding is truncated', offset);
  if (length < 0x80 || length < 256 ** (count - 1))
    throw malformedDer('a length that is not minimally encoded', offset);
  return { length, start: offset + 1 + count };
}
