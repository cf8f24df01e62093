import { type DerElement, Tag } from '../der.ts';

/**
 * Where a type usually stands in a name, from general to specific. Only the one spelling that does not say in which
 * direction it is written is read by this (distinguished-name-text.ts); matching never looks at it.
 */
const rank = { country: 0, state: 1, locality: 2, street: 3, organization: 4, unit: 5, individual: 6 } as const;

type AttributeType = readonly [
  oid: string,
  /** How we print it: the RFC 4514 §3 name where there is one, else the RFC 4519 or OpenSSL name. */
  name: string,
  /** Other names that tools write. */
  aliases: readonly string[],
  rank?: number,
];

/**
 * The attribute types that we know by name. Two names are read otherwise than some writers mean them:
 * `SN` is surname (RFC 4519 §2.32, OpenSSL, Windows), never serialNumber; and `uid` in any case is userId (RFC 4514 §3),
 * although OpenSSL prints the obsolete uniqueIdentifier (0.9.2342.19200300.100.1.44) in lower case so.
 */
const attributeTypes: readonly AttributeType[] = [
  ['2.5.4.3', 'CN', ['commonName'], rank.individual],
  ['2.5.4.4', 'surname', ['SN'], rank.individual],
  ['2.5.4.5', 'serialNumber', [], rank.individual],
  ['2.5.4.6', 'C', ['countryName', 'country'], rank.country],
  ['2.5.4.7', 'L', ['localityName', 'locality'], rank.locality],
  ['2.5.4.8', 'ST', ['stateOrProvinceName', 'S', 'SP', 'state'], rank.state],
  ['2.5.4.9', 'STREET', ['streetAddress'], rank.street],
  ['2.5.4.10', 'O', ['organizationName', 'organization'], rank.organization],
  ['2.5.4.11', 'OU', ['organizationalUnitName', 'organizationalUnit'], rank.unit],
  ['2.5.4.12', 'title', ['T'], rank.individual],
  ['2.5.4.13', 'description', []],
  ['2.5.4.15', 'businessCategory', []],
  ['2.5.4.16', 'postalAddress', []],
  ['2.5.4.17', 'postalCode', []],
  ['2.5.4.18', 'postOfficeBox', ['POBox']],
  ['2.5.4.20', 'telephoneNumber', ['phone']],
  ['2.5.4.41', 'name', [], rank.individual],
  ['2.5.4.42', 'givenName', ['GN', 'G'], rank.individual],
  ['2.5.4.43', 'initials', ['I'], rank.individual],
  ['2.5.4.44', 'generationQualifier', ['generation'], rank.individual],
  ['2.5.4.45', 'x500UniqueIdentifier', [], rank.individual],
  ['2.5.4.46', 'dnQualifier', ['DNQ'], rank.individual],
  ['2.5.4.65', 'pseudonym', [], rank.individual],
  ['2.5.4.72', 'role', [], rank.individual],
  ['2.5.4.97', 'organizationIdentifier', []],
  ['0.9.2342.19200300.100.1.1', 'UID', ['userId'], rank.individual],
  ['0.9.2342.19200300.100.1.3', 'mail', ['rfc822Mailbox'], rank.individual],
  ['0.9.2342.19200300.100.1.25', 'DC', ['domainComponent'], rank.country],
  ['1.2.840.113549.1.9.1', 'emailAddress', ['E', 'email'], rank.individual],
  ['1.2.840.113549.1.9.2', 'unstructuredName', [], rank.individual],
  ['1.2.840.113549.1.9.8', 'unstructuredAddress', []],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL', ['jurisdictionLocalityName']],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST', ['jurisdictionStateOrProvinceName']],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC', ['jurisdictionCountryName']],
];

const byOid = new Map(attributeTypes.map(([oid, name, , rank]) => [oid, { name, rank }]));
const oidByName = new Map(
  attributeTypes.flatMap(([oid, name, aliases]) =>
    [name, ...aliases].map((each) => [each.toLowerCase(), oid] as const),
  ),
);

/**
 * The dotted OID of a type as tools write it: any name of the table in either case, an OID, or an OID after `OID.`
 * (.NET, Windows, Java; RFC 2253 §4). Undefined for a name that we do not know.
 */
export function attributeTypeOid(written: string): string | undefined {
  const name = written.toLowerCase();
  return oidByName.get(name) ?? parseDottedOid(name.startsWith('oid.') ? name.slice(4) : name);
}

/** The name under which we print a type, or undefined where only its OID can be printed. */
export function attributeTypeName(oid: string): string | undefined {
  return byOid.get(oid)?.name;
}

/** From 0, the most general, to 6, what names an individual; undefined for a type with no usual place. */
export function hierarchyRank(oid: string): number | undefined {
  return byOid.get(oid)?.rank;
}

/** RFC 4512 §1.4 `numericoid`, with the limits of X.660 on the first two arcs, so that one OID has one text. */
function parseDottedOid(text: string): string | undefined {
  const arcs = text.split('.');
  const wellFormed = arcs.length >= 2 && arcs.every((arc) => /^(0|[1-9][0-9]*)$/.test(arc));
  const [root, second] = arcs.map(Number);
  if (!wellFormed || root === undefined || second === undefined) return undefined;
  return root === 2 || (root < 2 && second < 40) ? text : undefined;
}

/**
 * The value of one attribute of a name. `text` was an ASN.1 character string; `octets` is the whole DER of any other
 * type, and equals only the same octets; `undecodable` says that it is a string type and holds what that type forbids.
 */
export type AttributeValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'octets'; readonly der: Uint8Array }
  | { readonly kind: 'undecodable'; readonly der: Uint8Array; readonly problem: string };

/** Reads the AttributeValue of RFC 5280 §4.1.2.4. What is not the string it claims to be is kept, for the audit. */
export function decodeAttributeValue(element: DerElement): AttributeValue {
  const type = stringTypes[element.tag];
  if (!type) return { kind: 'octets', der: element.encoded };
  const text = type.decode(element.content);
  if (text !== undefined) return { kind: 'text', text };
  return { kind: 'undecodable', der: element.encoded, problem: `is not a valid ${type.name}` };
}

/** The DER of a text as UTF8String, for the `#hex` spelling of RFC 4514 §2.4. */
export function encodeUtf8String(text: string): Uint8Array {
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
