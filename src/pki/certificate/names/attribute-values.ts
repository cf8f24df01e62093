import { isUtf8 } from 'node:buffer';
import { type DerElement, Tag } from '../der-element.ts';

/** The value of one attribute of a name. */
export type AttributeValue =
  /** An ASN.1 character string. */
  | { readonly kind: 'text'; readonly text: string }
  /** The DER of a value of any other type, which equals only the same bytes. */
  | { readonly kind: 'der'; readonly der: Uint8Array }
  /** A string whose content its type does not allow. */
  | { readonly kind: 'undecodable'; readonly der: Uint8Array; readonly problem: string };

/** Decodes an AttributeValue (RFC 5280 §4.1.2.4). Undecodable strings are kept for the audit log. */
export function decodeAttributeValue(element: DerElement): AttributeValue {
  const type = stringTypes[element.tag];
  if (!type) return { kind: 'der', der: element.encoded };
  const text = type.decode(element.content);
  if (text !== undefined) return { kind: 'text', text };
  return { kind: 'undecodable', der: element.encoded, problem: `is not a valid ${problemWith(type, element.content)}` };
}

function problemWith({ name, allows }: StringType, content: Uint8Array): string {
  const byte = allows && content.find((each) => !allows(each));
  if (byte === undefined) return name;
  const isPrintable = byte > 0x20 && byte < 0x7f;
  return `${name}: it contains ${isPrintable ? `"${String.fromCharCode(byte)}"` : `the byte 0x${byte.toString(16)}`}`;
}

/** The DER of a text as UTF8String, for the `#hex` notation of RFC 4514 §2.4. */
export function encodeUtf8String(text: string): Uint8Array {
  const content = Buffer.from(text);
  return Buffer.concat([Buffer.from([Tag.utf8String, ...derLength(content.length)]), content]);
}

/** Strictly decoded UTF-8, or undefined. A byte order mark is kept; preparing the string for comparison rejects it. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? bufferOf(bytes).toString('utf8') : undefined;
}

function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

type Decode = (content: Uint8Array) => string | undefined;

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

interface StringType {
  readonly name: string;
  readonly decode: Decode;
  /** For types with one byte per character. */
  readonly allows?: (byte: number) => boolean;
}

/** X.680 §41. TeletexString (T.61) is decoded as ISO 8859-1, which is what encoders write under that tag. */
const stringTypes: Readonly<Record<number, StringType>> = {
  [Tag.utf8String]: { name: 'UTF8String', decode: decodeUtf8 },
  [Tag.numericString]: oneByteType('NumericString', within(`${DIGITS} `)),
  [Tag.printableString]: oneByteType('PrintableString', within(`${LETTERS}${DIGITS} '()+,-./:=?`)),
  [Tag.teletexString]: { name: 'TeletexString', decode: decodeLatin1 },
  [Tag.ia5String]: oneByteType('IA5String', (byte) => byte < 0x80),
  [Tag.universalString]: { name: 'UniversalString', decode: decodeUtf32 },
  [Tag.bmpString]: { name: 'BMPString', decode: decodeUtf16 },
};

function decodeLatin1(content: Uint8Array): string {
  return bufferOf(content).toString('latin1');
}

/** A view, not a copy. */
function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function oneByteType(name: string, allows: (byte: number) => boolean): StringType {
  return {
    name,
    allows,
    decode: (content) => (content.every(allows) ? decodeLatin1(content) : undefined),
  };
}

function within(alphabet: string): (byte: number) => boolean {
  const allowed = new Set(Buffer.from(alphabet));
  return (byte) => allowed.has(byte);
}

/** Big-endian. BMPString has no surrogates in ISO 10646, but Windows writes them in pairs. */
function decodeUtf16(content: Uint8Array): string | undefined {
  if (content.length % 2 !== 0) return undefined;
  const text = Buffer.from(content).swap16().toString('utf16le');
  return text.isWellFormed() ? text : undefined;
}

/** Big-endian. */
function decodeUtf32(content: Uint8Array): string | undefined {
  if (content.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(content);
  const codePoints = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
  if (codePoints.some((codePoint) => codePoint > 0x10ffff)) return undefined;
  const hasSurrogates = codePoints.some((codePoint) => codePoint >= 0xd800 && codePoint <= 0xdfff);
  return hasSurrogates ? undefined : codePoints.map((codePoint) => String.fromCodePoint(codePoint)).join('');
}
