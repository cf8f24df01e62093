import { CertificateError } from '../certificate-error.ts';
import { type DerElement, parseObjectIdentifier, Tag } from '../der.ts';
import { type AttributeValue, attributeTypeName, decodeAttributeValue, encodeUtf8String } from './attributes.ts';
import { prepareString } from './prepare-string.ts';

/** One `type=value`; `type` is a dotted OID. */
export interface Attribute {
  readonly type: string;
  readonly value: AttributeValue;
}

/** The attributes of one RDN: a set, nearly always of one. */
export type RelativeDistinguishedName = readonly Attribute[];

/** `canonical` is one text for all spellings of the same name, and for no other name: compare it with `===`. */
export interface MatchableName {
  /** In the order of the DER: the most general first, as a rule. */
  readonly rdns: readonly RelativeDistinguishedName[];
  readonly canonical: string;
}

/** A name that a certificate holds and nobody can be known by; `unmatchableReason` states why. It is kept for the audit log. */
export interface UnmatchableName {
  readonly rdns: readonly RelativeDistinguishedName[];
  readonly canonical: undefined;
  readonly unmatchableReason: string;
}

export type DistinguishedName = MatchableName | UnmatchableName;

const MAX_ATTRIBUTES = 64;
const MAX_VALUE_LENGTH = 1024;
const MAX_VALUE_OCTETS = 4 * MAX_VALUE_LENGTH;

/**
 * Reads the Name of a certificate (RFC 5280 §4.1.2.4). A name that is well-formed but can't be compared (empty, a NUL
 * in a value, a string that is not what its ASN.1 type says, …) is returned as one that matches nothing.
 *
 * @throws {CertificateError} when the element is not a Name, or has more than 64 attributes or 4096 octets in a value
 */
export function decodeDistinguishedName(element: DerElement): DistinguishedName {
  if (element.tag !== Tag.sequence) throw notAName('not a SEQUENCE');
  const rdns = element.children.map(decodeRdn);
  if (rdns.flat().length > MAX_ATTRIBUTES) throw notAName(`more than ${MAX_ATTRIBUTES} attributes`);
  try {
    return { rdns, canonical: canonicalName(rdns) };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { rdns, canonical: undefined, unmatchableReason: error.message };
  }
}

/**
 * Whether two names are the same name (RFC 5280 §7.1): as many RDNs in the same order, and in each the same set of
 * types with equal values. A name that can't be compared is the same as none, not even as itself.
 */
export function sameDistinguishedName(a: DistinguishedName, b: DistinguishedName): boolean {
  return a.canonical !== undefined && a.canonical === b.canonical;
}

/**
 * Whether a name that was presented is a registered one, written from the other end. All that costs time is done with
 * the registered one: what a presented name costs on every request is for its sender to choose.
 */
export function isReverseOf(presented: MatchableName, registered: MatchableName): boolean {
  if (presented.canonical.length !== registered.canonical.length) return false;
  return presented.canonical === canonicalName(registered.rdns.toReversed());
}

/**
 * The canonical text of a name, in memory only: it can change with the version of the runtime.
 *
 * @throws {CertificateError} saying why a name can't be compared
 */
export function canonicalName(rdns: readonly RelativeDistinguishedName[]): string {
  if (rdns.length === 0) throw new CertificateError('the subject DN is empty');
  if (rdns.flat().length > MAX_ATTRIBUTES) throw new CertificateError(`more than ${MAX_ATTRIBUTES} attributes`);
  return JSON.stringify(rdns.map(canonicalRdn));
}

/**
 * The name in RFC 4514, most specific RDN first, for people and logs; parseDistinguishedName reads it back as the same
 * name. All that does not print is escaped. A type is written by name where our table has one, else as OID and `#hex`.
 */
export function formatDistinguishedName(name: Pick<DistinguishedName, 'rdns'>): string {
  const rdns = name.rdns.map((rdn) => rdn.map(formatAttribute).join('+'));
  return rdns.reverse().join(',');
}

function decodeRdn(element: DerElement): RelativeDistinguishedName {
  if (element.tag !== Tag.set || element.children.length === 0) throw notAName('an RDN that is not a SET, or empty');
  return element.children.map(decodeAttribute);
}

function decodeAttribute(element: DerElement): Attribute {
  const [type, value, ...more] = element.children;
  const wellFormed = element.tag === Tag.sequence && type?.tag === Tag.objectIdentifier && value && more.length === 0;
  if (!wellFormed) throw notAName('an attribute that is not a type and a value');
  if (value.encoded.length > MAX_VALUE_OCTETS) throw notAName(`a value longer than ${MAX_VALUE_OCTETS} octets`);
  return { type: parseObjectIdentifier(type.content), value: decodeAttributeValue(value) };
}

/** X.501 §9.3: a type stands at most once in an RDN. */
function canonicalRdn(rdn: RelativeDistinguishedName): string[] {
  const types = new Set(rdn.map((attribute) => attribute.type));
  if (types.size < rdn.length) throw new CertificateError('the same attribute type twice in one RDN');
  return rdn.map((attribute) => `${attribute.type}${canonicalValue(attribute)}`).sort();
}

function canonicalValue({ type, value }: Attribute): string {
  try {
    if (value.kind === 'octets') return `#${hex(value.der)}`;
    if (value.kind === 'undecodable') throw new CertificateError(value.problem);
    if (value.text.length > MAX_VALUE_LENGTH) throw new CertificateError(`is longer than ${MAX_VALUE_LENGTH}`);
    return `=${prepareString(value.text)}`;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new CertificateError(`the value of ${attributeTypeName(type) ?? type} ${error.message}`, { cause: error });
  }
}

function formatAttribute({ type, value }: Attribute): string {
  const name = attributeTypeName(type);
  if (value.kind !== 'text') return `${name ?? type}=#${hex(value.der)}`;
  return name === undefined ? `${type}=#${hex(encodeUtf8String(value.text))}` : `${name}=${escapeText(value.text)}`;
}

/** RFC 4514 §2.4, and as hex pairs all that a terminal or a log would not show as itself. */
function escapeText(text: string): string {
  return text
    .replace(/["+,;<>\\]|^[ #]| $/gu, '\\$&')
    .replace(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, escapeOctets);
}

function escapeOctets(character: string): string {
  return hex(Buffer.from(character)).replace(/../g, '\\$&');
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex').toUpperCase();
}

function notAName(what: string): CertificateError {
  return new CertificateError(`not a distinguished name: ${what}`);
}
