import { CertificateError } from './certificate-error.ts';
import { type DerElement, parseObjectIdentifier, Tag } from './der-element.ts';
import { parseExtensionValue } from './structure.ts';

/** The object identifiers of the extensions that are parsed (RFC 5280 §4.2.1). */
export const ExtensionOid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  issuerAlternativeName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
} as const;

/**
 * Extensions that may be critical, since everything they can require is enforced. Key identifiers are hints, which
 * RFC 5280 §4.2.1.1 and §4.2.1.2 forbid to mark as critical.
 */
export const processedExtensions: ReadonlySet<string> = new Set([
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAlternativeName,
  ExtensionOid.basicConstraints,
  ExtensionOid.nameConstraints,
  ExtensionOid.crlDistributionPoints,
  ExtensionOid.certificatePolicies,
  ExtensionOid.policyMappings,
  ExtensionOid.policyConstraints,
  ExtensionOid.extendedKeyUsage,
  ExtensionOid.inhibitAnyPolicy,
]);

/** Whether the subject is a CA, and how long the paths below it may be (RFC 5280 §4.2.1.9). */
export interface BasicConstraints {
  readonly isCa: boolean;
  /** The maximum number of intermediates that are not self-issued in a path below it; undefined: no limit. */
  readonly pathLength: number | undefined;
}

/** A certificate without the extension is not a CA certificate. */
const NOT_A_CA: BasicConstraints = { isCa: false, pathLength: undefined };

const MAX_PATH_LENGTH_BYTES = 2;

/**
 * Parses SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }.
 *
 * @param extension the `Extension` element, or undefined if the certificate has none
 * @throws {CertificateError} when it is malformed
 */
export function parseBasicConstraints(extension: DerElement | undefined): BasicConstraints {
  if (!extension) return NOT_A_CA;
  const { tag, children } = parseExtensionValue(extension);
  const [first, second, ...more] = children;
  const isCa = first?.tag === Tag.boolean && first.content[0] === 0xff;
  const onlyPathLengthFollows = second === undefined || second.tag === Tag.integer;
  const isWellFormed = tag === Tag.sequence && (first === undefined || (isCa && onlyPathLengthFollows));
  if (!isWellFormed || more.length > 0) throw new CertificateError('not DER: its basicConstraints are malformed');
  return isCa ? { isCa: true, pathLength: second && parsePathLength(second.content) } : NOT_A_CA;
}

function parsePathLength(integer: Uint8Array): number {
  const [first = 0x80] = integer;
  if (first >= 0x80 || integer.length > MAX_PATH_LENGTH_BYTES) {
    throw new CertificateError('has an invalid path length: negative, or longer than any path');
  }
  return integer.reduce((value, byte) => value * 256 + byte, 0);
}

/** The numbers of the keyUsage bits that are enforced (RFC 5280 §4.2.1.3). */
const keyUsageBits = { digitalSignature: 0, keyAgreement: 4, keyCertSign: 5, cRLSign: 6 } as const;

/** What the key may be used for. */
export type KeyUsage = ReadonlySet<keyof typeof keyUsageBits>;

/**
 * Parses which of these bits are set.
 *
 * @param extension the `Extension` element, or undefined if the certificate has none
 * @returns undefined without the extension: the key may then be used for any purpose
 * @throws {CertificateError} when it is malformed, or no bit is set
 */
export function parseKeyUsage(extension: DerElement | undefined): KeyUsage | undefined {
  if (!extension) return undefined;
  const { tag, content } = parseExtensionValue(extension);
  const [, ...bytes] = content;
  const isWellFormed = tag === Tag.bitString && bytes.length <= 2;
  if (!isWellFormed || !bytes.some((byte) => byte !== 0)) throw new CertificateError('its key usage is malformed');
  const isSet = (bit: number) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  // Safe: the table above is closed, so its keys are exactly these names.
  const names = Object.keys(keyUsageBits) as (keyof typeof keyUsageBits)[];
  return new Set(names.filter((name) => isSet(keyUsageBits[name])));
}

export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
export const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';

const MAX_EXTENDED_KEY_USAGES = 64;

/**
 * Parses extKeyUsage into dotted object identifiers (RFC 5280 §4.2.1.12).
 *
 * @param extension the `Extension` element, or undefined if the certificate has none
 * @returns undefined without the extension, which allows every use
 * @throws {CertificateError} when it is malformed
 */
export function parseExtendedKeyUsage(extension: DerElement | undefined): readonly string[] | undefined {
  if (!extension) return undefined;
  const { tag, children } = parseExtensionValue(extension);
  const isWellFormed = tag === Tag.sequence && children.every((child) => child.tag === Tag.objectIdentifier);
  if (!isWellFormed || children.length === 0) throw new CertificateError('its extended key usage is malformed');
  if (children.length > MAX_EXTENDED_KEY_USAGES)
    throw new CertificateError(`has more than ${MAX_EXTENDED_KEY_USAGES} extended key usages`);
  return children.map(({ content }) => parseObjectIdentifier(content));
}

/** AuthorityKeyIdentifier.keyIdentifier, [0] IMPLICIT. */
const KEY_IDENTIFIER = 0x80;

/**
 * Parses the identifier of the certificate's own key (RFC 5280 §4.2.1.2) into hex. It is only a hint for finding
 * issuers, since an issuer can write any value there.
 */
export function parseSubjectKeyIdentifier(extension: DerElement | undefined): string | undefined {
  const value = extension && parseExtensionValue(extension);
  return value?.tag === Tag.octetString ? hex(value.content) : undefined;
}

/** Parses the identifier of the key that signed the certificate (RFC 5280 §4.2.1.1) into hex; also only a hint. */
export function parseAuthorityKeyIdentifier(extension: DerElement | undefined): string | undefined {
  const identifier = extension && parseExtensionValue(extension).children.find(({ tag }) => tag === KEY_IDENTIFIER);
  return identifier && hex(identifier.content);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
