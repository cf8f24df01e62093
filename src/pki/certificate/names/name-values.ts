import { CertificateError } from '../certificate-error.ts';
import { type DerElement, Tag } from '../der-element.ts';
import { parseBitString } from '../der-values.ts';
import { attributeTypeName } from './attribute-types.ts';
import { type Attribute, type DistinguishedName, describeType } from './distinguished-name.ts';

/**
 * Of these types, OpenSSL accepts every content: strings with one byte per character, SEQUENCE, and types that it does not
 * know (ObjectDescriptor, EXTERNAL, REAL, EMBEDDED PDV, RELATIVE-OID, TIME, CHARACTER STRING). It accepts no type with a tag
 * number above 30, such as DATE.
 */
const otherTypes: ReadonlySet<number> = new Set([
  ...[Tag.printableString, Tag.ia5String, Tag.teletexString, Tag.numericString, Tag.sequence],
  ...[0x07, 0x28, 0x09, 0x2b, 0x0d, 0x0e, 0x3d],
]);

/**
 * Requires that OpenSSL can parse each value in the issuer or subject of a certificate: a name that a terminator may see
 * differently, or not at all, identifies no client (RFC 5280 §4.1.2.4). `against-openssl.test.ts` compares the two.
 *
 * @param element the Name
 * @param name what it was decoded to
 * @throws {CertificateError} naming the value
 */
export function requireNameValues(element: DerElement, { rdns }: DistinguishedName): void {
  for (const [index, rdn] of rdns.entries()) {
    const elements = element.children[index]?.children ?? [];
    for (const [position, attribute] of rdn.entries()) {
      const problem = problemOf(attribute, elements[position]?.children[1]);
      if (problem === undefined) continue;
      const type = attributeTypeName(attribute.type) ?? attribute.type;
      throw new CertificateError(`cannot be parsed by OpenSSL: the value of ${type} ${problem}`);
    }
  }
}

function problemOf({ value }: Attribute, element: DerElement | undefined): string | undefined {
  if (!element) return 'is missing';
  if (otherTypes.has(element.tag)) return undefined;
  if (value.kind === 'undecodable') return value.problem;
  if (value.kind === 'text') return wideStringProblem(element.tag, value.text);
  if (element.tag !== Tag.bitString) return `is ${describeType(element.encoded)}`;
  parseBitString(element);
  return undefined;
}

/** Windows writes surrogates into BMPStrings, and OpenSSL does not accept them. */
function wideStringProblem(tag: number, text: string): string | undefined {
  return tag === Tag.bmpString && /[\ud800-\udfff]/.test(text) ? 'is a BMPString with a surrogate' : undefined;
}
