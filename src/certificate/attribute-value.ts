import { type DerElement, Tag } from './der.ts';

/**
 * The value of one attribute of a name. `text` was an ASN.1 character string; `octets` is the whole DER of any other
 * type, and equals only the same octets; `undecodable` says that it is a string type and holds what that type forbids.
 */
export type AttributeValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'octets'; readonly der: Uint8Array }
  | { readonly kind: 'undecodable'; readonly der: Uint8Array; readonly fault: string };

/** Reads the AttributeValue of RFC 5280 §4.1.2.4. What is not the string it claims to be is kept, for the audit. */
export function readAttributeValue(element: DerElement): AttributeValue {
  const type = stringTypes[element.tag];
  if (!type) return { kind: 'octets', der: element.encoded };
  const text = type.decode(element.content);
  if (text !== undefined) return { kind: 'text', text };
  return { kind: 'undecodable', der: element.encoded, fault: `is not a valid ${type.name}` };
}

/** The DER of a text as UTF8String, for the `#hex` spelling of RFC 4514 §2.4. */
export function encodeText(text: string): Uint8Array {
  const content = Buffer.from(text);
  return Buffer.concat([Buffer.from([Tag.utf8String, ...derLength(content.length)]), content]);
}

/** Strictly decoded UTF-8, or undefined. A byte order mark stays, and is refused when the text is prepared. */
export function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

type Decode = (content: Uint8Array) => string | undefined;

const latin1: Decode = (content) => Buffer.from(content).toString('latin1');

const octetsWhere =
  (allowed: (octet: number) => boolean): Decode =>
  (content) =>
    content.every(allowed) ? latin1(content) : undefined;

const octetsOf = (alphabet: string): Decode => {
  const allowed = new Set(Buffer.from(alphabet));
  return octetsWhere((octet) => allowed.has(octet));
};

/** UTF-16, big-endian; ISO 10646's BMPString has no surrogates, Windows writes them in pairs. */
const bmp: Decode = (content) => {
  if (content.length % 2 !== 0) return undefined;
  const text = Buffer.from(content).swap16().toString('utf16le');
  return text.isWellFormed() ? text : undefined;
};

/** UTF-32, big-endian. */
const universal: Decode = (content) => {
  if (content.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(content);
  const codePoints = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
  if (codePoints.some((codePoint) => codePoint > 0x10ffff)) return undefined;
  const text = codePoints.map((codePoint) => String.fromCodePoint(codePoint)).join('');
  const surrogates = codePoints.some((codePoint) => codePoint >= 0xd800 && codePoint <= 0xdfff);
  return surrogates ? undefined : text;
};

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** X.680 §41. TeletexString (T.61) is read as ISO 8859-1: what everybody writes under that tag. */
const stringTypes: Readonly<Record<number, { readonly name: string; readonly decode: Decode }>> = {
  [Tag.utf8String]: { name: 'UTF8String', decode: decodeUtf8 },
  [Tag.numericString]: { name: 'NumericString', decode: octetsOf(`${DIGITS} `) },
  [Tag.printableString]: { name: 'PrintableString', decode: octetsOf(`${LETTERS}${DIGITS} '()+,-./:=?`) },
  [Tag.teletexString]: { name: 'TeletexString', decode: latin1 },
  [Tag.ia5String]: { name: 'IA5String', decode: octetsWhere((octet) => octet < 0x80) },
  [Tag.visibleString]: { name: 'VisibleString', decode: octetsWhere((octet) => octet >= 0x20 && octet < 0x7f) },
  [Tag.universalString]: { name: 'UniversalString', decode: universal },
  [Tag.bmpString]: { name: 'BMPString', decode: bmp },
};

function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}
