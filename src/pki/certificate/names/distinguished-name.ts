import { CertificateError } from '../certificate-error.ts';
import { type DerElement, Tag } from '../der-element.ts';
import { parseObjectIdentifier } from '../object-identifier.ts';
import { attributeTypeName } from './attribute-types.ts';
import { type AttributeValue, decodeAttributeValue, encodeUtf8String } from './attribute-values.ts';
import { prepareString } from './prepare-string.ts';

/** One `type=value`; `type` is a dotted OID. */
export interface Attribute {
  readonly type: string;
  readonly value: AttributeValue;
}

/** The attributes of one RDN: a set, nearly always with one member. */
export type RelativeDistinguishedName = readonly Attribute[];

/** `canonical` is the same text for all notations of one name, and for no other name: compare it with `===`. */
export interface MatchableName {
  /** In the order of the DER: usually the most general first. */
  readonly rdns: readonly RelativeDistinguishedName[];
  readonly canonical: string;
}

/** A name that can never match a client; `unmatchableReason` states why. It is kept for the audit log. */
interface UnmatchableName {
  readonly rdns: readonly RelativeDistinguishedName[];
  readonly canonical: undefined;
  readonly unmatchableReason: string;
}

export type DistinguishedName = MatchableName | UnmatchableName;

/** A name as a certificate or a CRL contains it; `encoded` is its DER. */
export type EncodedName = DistinguishedName & { readonly encoded: Uint8Array };

/**
 * Bounds on names that identify clients: comparing them takes much longer than reading them (NFKC), and clients choose
 * them. X.520 allows at most 64 characters in the usual attributes.
 */
const MAX_ATTRIBUTES = 64;
const MAX_VALUE_LENGTH = 1024;

/**
 * Decodes the Name of a certificate (RFC 5280 §4.1.2.4). A name that is well-formed but cannot be compared (empty, a NUL
 * in a value, content that its ASN.1 string type does not allow, …) is returned as an {@link UnmatchableName}.
 *
 * @throws {CertificateError} when the element is not a Name
 */
export function decodeDistinguishedName(element: DerElement): EncodedName {
  if (element.tag !== Tag.sequence) throw malformedName('not a SEQUENCE');
  const { encoded } = element;
  const rdns = element.children.map(decodeRdn);
  try {
    return { rdns, encoded, canonical: canonicalName(rdns) };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { rdns, encoded, canonical: undefined, unmatchableReason: error.message };
  }
}

/**
 * Whether a certificate or CRL with this issuer names this CA (RFC 5280 §6.1.3 (a)(4), §7.1). Equal bytes always match,
 * also those of a name that can identify no client; other names match as in {@link sameDistinguishedName}. An empty name
 * names no CA (§4.1.2.4, §4.1.2.6).
 */
export function namesChain(issuer: EncodedName, subject: EncodedName): boolean {
  const key = chainingKey(issuer);
  return key !== undefined && key === chainingKey(subject);
}

/** Equal for two names if they chain; undefined for an empty name. Never store it: see {@link canonicalName}. */
export function chainingKey({ rdns, canonical, encoded }: EncodedName): string | undefined {
  // Equal bytes have equal canonical forms. That of no name starts with a hex digit.
  return rdns.length === 0 ? undefined : (canonical ?? hex(encoded));
}

/**
 * Whether two names identify the same client (RFC 5280 §7.1): the same number of RDNs in the same order, each with the
 * same set of types and equal values. An unmatchable name matches nothing, not even itself.
 */
export function sameDistinguishedName(a: DistinguishedName, b: DistinguishedName): boolean {
  return a.canonical !== undefined && a.canonical === b.canonical;
}

/**
 * Whether two names that identify the same client also have the same characters in their values, as .NET compares them.
 * The order of attributes within an RDN makes no difference.
 */
export function sameValues(a: DistinguishedName, b: DistinguishedName): boolean {
  return a.rdns.every((rdn, index) => rdn.every((attribute) => hasAttribute(b.rdns[index], attribute)));
}

function hasAttribute(rdn: RelativeDistinguishedName | undefined, { type, value }: Attribute): boolean {
  const other = rdn?.find((attribute) => attribute.type === type)?.value;
  return value.kind === 'text' && other?.kind === 'text' && value.text === other.text;
}

/**
 * Whether a presented name is a registered one in reverse order. Only the registered name is reversed and normalized:
 * the sender of a presented name could otherwise choose how much work each request costs.
 */
export function isReverseOf(presented: MatchableName, registered: MatchableName): boolean {
  if (presented.canonical.length !== registered.canonical.length) return false;
  return presented.canonical === canonicalName(registered.rdns.toReversed());
}

/**
 * The canonical text of a name. Never store it: it can change with the Unicode version of the runtime.
 *
 * @throws {CertificateError} stating why the name cannot be compared
 */
export function canonicalName(rdns: readonly RelativeDistinguishedName[]): string {
  if (rdns.length === 0) throw new CertificateError('the subject DN is empty');
  const attributes = rdns.reduce((count, rdn) => count + rdn.length, 0);
  if (attributes > MAX_ATTRIBUTES) throw new CertificateError(`more than ${MAX_ATTRIBUTES} attributes`);
  return JSON.stringify(rdns.map(canonicalRdn));
}

/**
 * Formats a name in RFC 4514, most specific RDN first; parseDistinguishedName parses the result into the same name.
 * Unprintable characters are escaped. A type without a known name is written as OID with a `#hex` value.
 */
export function formatDistinguishedName(name: Pick<DistinguishedName, 'rdns'>): string {
  const rdns = name.rdns.map((rdn) => rdn.map(formatAttribute).join('+'));
  return rdns.reverse().join(',');
}

/** Which value of a name is not text, or undefined if all are. */
export function nonTextReason({ rdns }: Pick<DistinguishedName, 'rdns'>): string | undefined {
  for (const { type, value } of rdns.flat()) {
    if (value.kind === 'text') continue;
    const problem = value.kind === 'der' ? `is ${describeType(value.der)}` : value.problem;
    return `the value of ${attributeTypeName(type) ?? type} ${problem}`;
  }
  return undefined;
}

const stringTypes: Readonly<Record<number, string>> = {
  21: 'a VideotexString',
  25: 'a GraphicString',
  26: 'a VisibleString',
  27: 'a GeneralString',
};

/** Names the type of a value that is not a DirectoryString (RFC 5280 §4.1.2.4). */
export function describeType(der: Uint8Array): string {
  return `${typeOf(der)}, which RFC 5280 §4.1.2.4 does not allow`;
}

function typeOf(der: Uint8Array): string {
  const [tag = 0] = der;
  // The number is in the bytes that follow, of which there can be any number.
  if ((tag & 0x1f) === 0x1f) return 'of an ASN.1 type with a tag number above 30';
  return stringTypes[tag] ?? `of the ASN.1 type 0x${hex(der.subarray(0, 1))}`;
}

function decodeRdn(element: DerElement): RelativeDistinguishedName {
  if (element.tag !== Tag.set) throw malformedName('an RDN that is not a SET');
  return element.children.map(decodeAttribute);
}

function decodeAttribute(element: DerElement): Attribute {
  const [type, value, ...more] = element.children;
  const isWellFormed = element.tag === Tag.sequence && type?.tag === Tag.objectIdentifier && value && more.length === 0;
  if (!isWellFormed) throw malformedName('an attribute that is not a type and a value');
  return { type: parseObjectIdentifier(type), value: decodeAttributeValue(value) };
}

/** X.501 §9.3: an RDN contains a type at most once. */
function canonicalRdn(rdn: RelativeDistinguishedName): string[] {
  const [first] = rdn;
  if (!first) throw new CertificateError('an RDN without an attribute');
  if (rdn.length === 1) return [`${first.type}${canonicalValue(first)}`];
  const types = new Set(rdn.map((attribute) => attribute.type));
  if (types.size < rdn.length) throw new CertificateError('the same attribute type twice in one RDN');
  return rdn.map((attribute) => `${attribute.type}${canonicalValue(attribute)}`).sort();
}

function canonicalValue({ type, value }: Attribute): string {
  try {
    if (value.kind === 'der') return `#${hex(value.der)}`;
    if (value.kind === 'undecodable') throw new CertificateError(value.problem);
    if (value.text.length > MAX_VALUE_LENGTH)
      throw new CertificateError(`is longer than ${MAX_VALUE_LENGTH} characters`);
    return `=${prepareString(value.text)}`;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new CertificateError(`the value of ${attributeTypeName(type) ?? type} ${error.message}`, { cause: error });
  }
}

function formatAttribute({ type, value }: Attribute): string {
  const name = attributeTypeName(type);
  if (value.kind !== 'text') return `${name ?? type}=#${hex(value.der)}`;
  if (name === undefined) return `${type}=#${hex(encodeUtf8String(value.text))}`;
  // Not a template: V8 keeps its parts, and JSON.stringify then takes twice as long for the whole audit entry.
  return [name, escapeText(value.text)].join('=');
}

/** RFC 4514 §2.4. Characters that a terminal or a log would not display become hex pairs. */
function escapeText(text: string): string {
  return text
    .replace(/["+,;<>\\]|^[ #]| $/gu, '\\$&')
    .replace(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, escapeBytes);
}

function escapeBytes(character: string): string {
  return hex(Buffer.from(character)).replace(/../g, '\\$&');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

function malformedName(problem: string): CertificateError {
  return new CertificateError(`not a distinguished name: ${problem}`);
}
