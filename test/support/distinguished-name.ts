import { der, objectIdentifier, sequence, setOf } from './der.ts';

/**
 * A name as data, with RDNs in the order of the DER: `[['C', 'GB'], ['O', 'company'], ['CN', 'x']]`. With text, a test
 * of the name parser would depend on another name parser.
 */
export type NameParts = readonly RelativeName[];

/** One attribute, or several for a multi-valued RDN: `[['CN', 'x'], ['serialNumber', '1']]`. */
export type RelativeName = Attribute | readonly Attribute[];

/**
 * Type (a short name below, or a dotted OID), value, ASN.1 string type. Bytes become the content of the string without
 * any check: a NUL, half a UTF-8 sequence.
 */
export type Attribute = readonly [type: string, value: string | Uint8Array, stringType?: StringType];

export type StringType = 'utf8' | 'printable' | 'ia5' | 'numeric' | 'teletex' | 'bmp' | 'universal' | 'bits';

const attributeTypes: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  GN: '2.5.4.42',
  dnQualifier: '2.5.4.46',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
};

/** The string types that RFC 5280 requires. Other attributes are UTF8Strings unless a test specifies another type. */
const usualStringTypes: Readonly<Record<string, StringType>> = {
  C: 'printable',
  serialNumber: 'printable',
  dnQualifier: 'printable',
  DC: 'ia5',
  emailAddress: 'ia5',
};

const latin1 = (text: string) => Buffer.from(text, 'latin1');

const stringTypes: Readonly<Record<StringType, { tag: number; encode: (text: string) => Uint8Array }>> = {
  utf8: { tag: 0x0c, encode: (text) => Buffer.from(text, 'utf8') },
  numeric: { tag: 0x12, encode: latin1 },
  printable: { tag: 0x13, encode: latin1 },
  teletex: { tag: 0x14, encode: latin1 },
  ia5: { tag: 0x16, encode: latin1 },
  /** Not a string: a BIT STRING of whole bytes. */
  bits: { tag: 0x03, encode: (text) => Buffer.concat([Buffer.of(0), latin1(text)]) },
  universal: { tag: 0x1c, encode: utf32BigEndian },
  bmp: { tag: 0x1e, encode: (text) => Buffer.from(text, 'utf16le').swap16() },
};

/** The DER of a Name (RFC 5280 §4.1.2.4). */
export function encodeName(parts: NameParts): Buffer<ArrayBuffer> {
  return sequence(...parts.map((rdn) => setOf(...attributesOf(rdn).map(encodeAttribute))));
}

function attributesOf(rdn: RelativeName): readonly Attribute[] {
  return isAttribute(rdn) ? [rdn] : rdn;
}

function isAttribute(rdn: RelativeName): rdn is Attribute {
  return typeof rdn[0] === 'string';
}

function encodeAttribute([type, value, stringType = usualStringTypes[type] ?? 'utf8']: Attribute): Uint8Array {
  const { tag, encode } = stringTypes[stringType];
  const content = typeof value === 'string' ? encode(value) : value;
  return sequence(objectIdentifier(attributeTypes[type] ?? type), der(tag, content));
}

function utf32BigEndian(text: string): Uint8Array {
  const bytes = Buffer.alloc([...text].length * 4);
  for (const [index, character] of [...text].entries()) bytes.writeUInt32BE(character.codePointAt(0) ?? 0, index * 4);
  return bytes;
}
