import { FileContentError } from './file-content-error.ts';

/** An element of BER (X.690 §8), of which DER is a part. PKCS #12 and PKCS #7 files may contain either. */
export interface BerElement {
  /** The identifier byte without the bit that marks a constructed element. */
  readonly tag: number;
  /** The element as it is in the file. */
  readonly encoded: Uint8Array;
  /** The value of a primitive element. */
  readonly value: Uint8Array;
  /** The elements in a constructed one. */
  readonly elements: readonly BerElement[];
}

/** The tags of elements in {@link BerElement}. */
export const BerTag = {
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  sequence: 0x10,
  context0: 0x80,
  context1: 0x81,
} as const;

/** No structure that is read from a file of an operator nests deeper. */
const MAX_DEPTH = 32;
const MAX_BYTES = 10 * 1024 * 1024;

/**
 * Parses the first element of a file. What follows it is ignored, as OpenSSL does.
 *
 * @throws {FileContentError} if it is damaged or cut off
 */
export function parseBer(content: Uint8Array): BerElement {
  if (content.length > MAX_BYTES) throw new FileContentError('is larger than 10 MiB');
  return readElement(content, 0, content.length, 0).element;
}

/** The bytes of an OCTET STRING, which BER may divide into parts (X.690 §8.7.3). */
export function bytesOf({ value, elements }: BerElement): Uint8Array {
  return elements.length === 0 ? value : Buffer.concat(elements.map(bytesOf));
}

/** The dotted notation of an object identifier (X.690 §8.19). */
export function objectIdentifierOf({ value }: BerElement): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of value) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first = 0, ...others] = arcs;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...others].join('.');
}

/** The value of an INTEGER that is a count; more than 2^53 if it is too large to be one. */
export function countOf({ value }: BerElement): number {
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

interface ReadElement {
  readonly element: BerElement;
  /** Where the next element begins. */
  readonly next: number;
}

function readElement(content: Uint8Array, at: number, end: number, depth: number): ReadElement {
  const [identifier, first] = content.subarray(at, end);
  if (identifier === undefined || first === undefined) throw cutOff(at);
  if (depth > MAX_DEPTH || (identifier & 0x1f) === 0x1f) throw new FileContentError(`is damaged at byte ${at}`);
  const isConstructed = (identifier & CONSTRUCTED) !== 0;
  const { start, length } = readLength(content, at, end);
  if (length === undefined && !isConstructed) throw new FileContentError(`is damaged at byte ${at}`);
  const limit = length === undefined ? end : start + length;
  if (limit > end) throw cutOff(at);
  const { elements, next } = isConstructed
    ? readElements(content, { start, end: limit, isIndefinite: length === undefined }, depth + 1)
    : { elements: [], next: limit };
  const value = isConstructed ? NOTHING : content.subarray(start, limit);
  return { element: { tag: identifier & ~CONSTRUCTED, encoded: content.subarray(at, next), value, elements }, next };
}

const CONSTRUCTED = 0x20;
const NOTHING = new Uint8Array();

/** X.690 §8.1.3. The length is undefined if the element ends with two zero bytes. */
function readLength(content: Uint8Array, at: number, end: number): { start: number; length: number | undefined } {
  const first = content[at + 1] ?? 0;
  const start = at + 2;
  if (first < 0x80) return { start, length: first };
  if (first === 0x80) return { start, length: undefined };
  const bytes = content.subarray(start, Math.min(end, start + first - 0x80));
  return { start: start + bytes.length, length: bytes.reduce((sum, byte) => sum * 256 + byte, 0) };
}

interface Contents {
  readonly start: number;
  readonly end: number;
  /** Whether they end with two zero bytes (X.690 §8.1.5). */
  readonly isIndefinite: boolean;
}

function readElements(content: Uint8Array, { start, end, isIndefinite }: Contents, depth: number) {
  const elements: BerElement[] = [];
  let at = start;
  while (isIndefinite || at < end) {
    if (isIndefinite && content[at] === 0 && content[at + 1] === 0) return { elements, next: at + 2 };
    const { element, next } = readElement(content, at, end, depth);
    elements.push(element);
    at = next;
  }
  return { elements, next: at };
}

function cutOff(at: number): FileContentError {
  return new FileContentError(`is cut off in the element at byte ${at}: copy the file anew`);
}
