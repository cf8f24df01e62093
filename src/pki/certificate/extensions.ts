import { CertificateError } from './certificate-error.ts';
import { type DerElement, parseObjectIdentifier, Tag } from './der.ts';
import { parseExtensionValue } from './structure.ts';

/** The extensions that we read (RFC 5280 §4.2.1), by name. */
export const ExtensionOid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
} as const;

/**
 * Those that may be critical, because everything that they can demand is done. Of the policies only a demand makes a
 * difference (see demandsPolicy). Key identifiers are hints, and RFC 5280 §4.2.1.1 and §4.2.1.2 forbid to mark them.
 */
export const processedExtensions: ReadonlySet<string> = new Set([
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAlternativeName,
  ExtensionOid.basicConstraints,
  ExtensionOid.nameConstraints,
  ExtensionOid.certificatePolicies,
  ExtensionOid.policyMappings,
  ExtensionOid.policyConstraints,
  ExtensionOid.extendedKeyUsage,
  ExtensionOid.inhibitAnyPolicy,
]);

/** What a certificate says of its holder's power to issue others (RFC 5280 §4.2.1.9). */
export interface BasicConstraints {
  readonly isCa: boolean;
  /** How many intermediates may follow at most, self-issued ones not counted; undefined: any number. */
  readonly pathLength: number | undefined;
}

/** Without the extension nobody is an authority. */
const none: BasicConstraints = { isCa: false, pathLength: undefined };

const MAX_PATH_LENGTH_OCTETS = 2;

/**
 * Reads SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }.
 *
 * @param extension the `Extension` element, or undefined where the certificate has none
 * @throws {CertificateError} when it is malformed
 */
export function parseBasicConstraints(extension: DerElement | undefined): BasicConstraints {
  if (!extension) return none;
  const { tag, children } = parseExtensionValue(extension);
  const [first, second, ...more] = children;
  const writesTrue = first?.tag === Tag.boolean && first.content[0] === 0xff;
  const pathLengthOnlyForAuthorities = second === undefined || second.tag === Tag.integer;
  const wellFormed = tag === Tag.sequence && (first === undefined || (writesTrue && pathLengthOnlyForAuthorities));
  if (!wellFormed || more.length > 0) throw new CertificateError('not DER: its basicConstraints are malformed');
  return writesTrue ? { isCa: true, pathLength: second && smallNumber(second.content) } : none;
}

function smallNumber(octets: Uint8Array): number {
  const [first = 0x80] = octets;
  if (first >= 0x80 || octets.length > MAX_PATH_LENGTH_OCTETS) {
    throw new CertificateError('has a path length that no path has');
  }
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}

/** The bits of keyUsage that matter here (RFC 5280 §4.2.1.3), by their number. */
const bits = { digitalSignature: 0, keyAgreement: 4, keyCertSign: 5, cRLSign: 6 } as const;

/** What the key may be used for. */
export type KeyUsage = ReadonlySet<keyof typeof bits>;

/**
 * Reads which of these bits are set.
 *
 * @param extension the `Extension` element, or undefined where the certificate has none
 * @returns undefined without the extension: the key may then be used for everything
 * @throws {CertificateError} when it is malformed, or no bit is set
 */
export function parseKeyUsage(extension: DerElement | undefined): KeyUsage | undefined {
  if (!extension) return undefined;
  const { tag, content } = parseExtensionValue(extension);
  const [, ...octets] = content;
  const wellFormed = tag === Tag.bitString && octets.length <= 2;
  if (!wellFormed || !octets.some((octet) => octet !== 0)) throw new CertificateError('its key usage is malformed');
  const isSet = (bit: number) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  /** Safe: the table above is closed, so its keys are the names. */
  const names = Object.keys(bits) as (keyof typeof bits)[];
  return new Set(names.filter((name) => isSet(bits[name])));
}

export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';

const MAX_PURPOSES = 64;

/**
 * Reads the purposes of a certificate, as dotted object identifiers (RFC 5280 §4.2.1.12).
 *
 * @param extension the `Extension` element, or undefined where the certificate has none
 * @returns undefined without the extension: every purpose is then allowed
 * @throws {CertificateError} when it is malformed
 */
export function parseExtendedKeyUsage(extension: DerElement | undefined): readonly string[] | undefined {
  if (!extension) return undefined;
  const { tag, children } = parseExtensionValue(extension);
  const wellFormed = tag === Tag.sequence && children.every((child) => child.tag === Tag.objectIdentifier);
  if (!wellFormed || children.length === 0) throw new CertificateError('its extended key usage is malformed');
  if (children.length > MAX_PURPOSES) throw new CertificateError(`has more than ${MAX_PURPOSES} extended key usages`);
  return children.map(({ content }) => parseObjectIdentifier(content));
}

const REQUIRE_EXPLICIT_POLICY = 0x80;
const INHIBIT_POLICY_MAPPING = 0x81;

/**
 * Whether a certificate demands that its path be valid for some policy (RFC 5280 §4.2.1.11). Nobody who asks us names
 * policies, so no other policy extension can make a difference.
 *
 * @param extension policyConstraints, the `Extension` element, or undefined where the certificate has none
 * @throws {CertificateError} when it is malformed
 */
export function requiresExplicitPolicy(extension: DerElement | undefined): boolean {
  if (!extension) return false;
  const { tag, children } = parseExtensionValue(extension);
  const tags = children.map((child) => child.tag);
  const known = tags.every((one) => one === REQUIRE_EXPLICIT_POLICY || one === INHIBIT_POLICY_MAPPING);
  if (tag !== Tag.sequence || tags.length === 0 || !known)
    throw new CertificateError('its policy constraints are malformed');
  return tags.includes(REQUIRE_EXPLICIT_POLICY);
}

/** AuthorityKeyIdentifier.keyIdentifier, [0] IMPLICIT. */
const KEY_IDENTIFIER = 0x80;

/**
 * The identifier of the certificate's own key (RFC 5280 §4.2.1.2), in hex. It is a hint for finding issuers: anybody
 * can write any there.
 */
export function parseSubjectKeyIdentifier(extension: DerElement | undefined): string | undefined {
  const value = extension && parseExtensionValue(extension);
  return value?.tag === Tag.octetString ? hex(value.content) : undefined;
}

/** The identifier of the key that signed the certificate (RFC 5280 §4.2.1.1), in hex; a hint as well. */
export function parseAuthorityKeyIdentifier(extension: DerElement | undefined): string | undefined {
  const identifier = extension && parseExtensionValue(extension).children.find(({ tag }) => tag === KEY_IDENTIFIER);
  return identifier && hex(identifier.content);
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}
