/** Encodes DER (ITU-T X.690), and decodes enough of it to corrupt it on purpose. Shares no code with `src`. */

/** One element: the identifier byte, the definite length in the fewest bytes, and the concatenated contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag), lengthBytes(content.length), content]);
}

export const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents);
export const octetString = (content: Uint8Array) => der(0x04, content);
export const bitString = (content: Uint8Array) => der(0x03, Buffer.of(0), content);

/** A SET OF, its elements in ascending order of their encodings (X.690 §11.6). */
export function setOf(...elements: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  return der(0x31, ...elements.toSorted(Buffer.compare));
}

/** A non-negative INTEGER in the fewest bytes. */
export function integer(value: bigint): Buffer<ArrayBuffer> {
  const hex = value.toString(16);
  const magnitude = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const signByte = (magnitude[0] ?? 0) >= 0x80 ? Buffer.of(0) : Buffer.of();
  return der(0x02, signByte, magnitude);
}

/** An OBJECT IDENTIFIER from its dotted form, e.g. `2.5.4.3`. */
export function objectIdentifier(dotted: string): Buffer<ArrayBuffer> {
  const [root = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt);
  return der(0x06, ...[root * 40n + second, ...rest].map(base128));
}

/** A Time (RFC 5280 §4.1.2.5): UTCTime through 2049, GeneralizedTime afterwards. */
export function time(date: Date): Buffer<ArrayBuffer> {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  const isUtcTime = date.getUTCFullYear() >= 1950 && date.getUTCFullYear() < 2050;
  return isUtcTime ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

/** The encoded elements inside a constructed element. */
export function childrenOf(constructed: Uint8Array): Uint8Array[] {
  const children: Uint8Array[] = [];
  const { contentStart, end } = extentOf(constructed, 0);
  for (let offset = contentStart; offset < end; ) {
    const child = extentOf(constructed, offset);
    children.push(constructed.subarray(offset, child.end));
    offset = child.end;
  }
  return children;
}

/** What follows the identifier and the length. */
export function contentOf(element: Uint8Array): Uint8Array {
  const { contentStart, end } = extentOf(element, 0);
  return element.subarray(contentStart, end);
}

function extentOf(bytes: Uint8Array, offset: number): { contentStart: number; end: number } {
  const first = bytes[offset + 1] ?? 0;
  if (first < 0x80) return { contentStart: offset + 2, end: offset + 2 + first };
  const contentStart = offset + 2 + (first & 0x7f);
  const length = bytes.subarray(offset + 2, contentStart).reduce((sum, byte) => sum * 256 + byte, 0);
  return { contentStart, end: contentStart + length };
}

function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return Buffer.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.of(0x80 | bytes.length, ...bytes);
}

function base128(arc: bigint): Uint8Array {
  const bytes = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80);
  return Buffer.from(bytes);
}
