import { CertificateError } from './certificate-error.ts';
import { type DerElement, Tag } from './der-element.ts';
import { parseBitString, parseBoolean, parseInteger } from './der-values.ts';
import { parseObjectIdentifier } from './object-identifier.ts';
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

/**
 * Parses SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }. A cA of FALSE that is written out has
 * the meaning of the default, and a path length only has one if cA is TRUE (RFC 5280 §4.2.1.9).
 *
 * @param extension the `Extension` element, or undefined if the certificate has none
 * @throws {CertificateError} when it is malformed
 */
export function parseBasicConstraints(extension: DerElement | undefined): BasicConstraints {
  if (!extension) return NOT_A_CA;
  const { tag, children } = parseExtensionValue(extension);
  const [ca, ...afterCa] = children[0]?.tag === Tag.boolean ? children : [undefined, ...children];
  const [pathLength, ...more] = afterCa;
  const isWellFormed = tag === Tag.sequence && (!pathLength || pathLength.tag === Tag.integer) && more.length === 0;
  if (!isWellFormed) {
    throw new CertificateError('has basicConstraints that are not { cA, pathLenConstraint } (RFC 5280 §4.2.1.9)');
  }
  const limit = pathLength && parsePathLength(pathLength);
  return ca && parseBoolean(ca) ? { isCa: true, pathLength: limit } : NOT_A_CA;
}

/** The precision of a limit above that of any path does not matter. */
function parsePathLength(element: DerElement): number {
  const bytes = parseInteger(element);
  const [first = 0] = bytes;
  if (first >= 0x80) throw new CertificateError('has a negative path length (RFC 5280 §4.2.1.9)');
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** The numbers of the keyUsage bits that are enforced (RFC 5280 §4.2.1.3). */
const keyUsageBits = { digitalSignature: 0, keyAgreement: 4, keyCertSign: 5, cRLSign: 6 } as const;

// Safe: the table above is closed, so its keys are exactly these names.
const keyUsageNames = Object.keys(keyUsageBits) as (keyof typeof keyUsageBits)[];

/** What the key may be used for. */
export type KeyUsage = ReadonlySet<keyof typeof keyUsageBits>;

const keyUsages = createSubsets(keyUsageNames);

/**
 * Parses which of these bits are set. An extension without any set bit allows no use.
 *
 * @param extension the `Extension` element, or undefined if the certificate has none
 * @returns undefined without the extension: the key may then be used for any purpose
 * @throws {CertificateError} when it is not a BIT STRING
 */
export function parseKeyUsage(extension: DerElement | undefined): KeyUsage | undefined {
  if (!extension) return undefined;
  const value = parseExtensionValue(extension);
  if (value.tag !== Tag.bitString) throw new CertificateError('has a key usage that is not a BIT STRING');
  const { bytes } = parseBitString(value);
  const isSet = (bit: number) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  return keyUsages.of((name) => isSet(keyUsageBits[name]));
}

/** The extended key usages that are enforced (RFC 5280 §4.2.1.12). */
const extendedKeyUsages = { clientAuth: '1.3.6.1.5.5.7.3.2', anyExtendedKeyUsage: '2.5.29.37.0' } as const;

// Safe: the table above is closed, so its keys are exactly these names.
const extendedKeyUsageNames = Object.keys(extendedKeyUsages) as (keyof typeof extendedKeyUsages)[];

/** What the key may be used for, as far as it concerns clients: empty if the certificate allows only other uses. */
export type ExtendedKeyUsage = ReadonlySet<keyof typeof extendedKeyUsages>;

const extendedKeyUsageSets = createSubsets(extendedKeyUsageNames);

/**
 * Parses which of these usages are listed (RFC 5280 §4.2.1.12). An empty list allows no use.
 *
 * @param extension the `Extension` element, or undefined if the certificate has none
 * @returns undefined without the extension, which allows every use
 * @throws {CertificateError} when it is malformed
 */
export function parseExtendedKeyUsage(extension: DerElement | undefined): ExtendedKeyUsage | undefined {
  if (!extension) return undefined;
  const { tag, children } = parseExtensionValue(extension);
  if (tag !== Tag.sequence || children.some((child) => child.tag !== Tag.objectIdentifier)) {
    throw new CertificateError('has an extended key usage that is not a SEQUENCE of object identifiers');
  }
  const listed = children.map(parseObjectIdentifier);
  return extendedKeyUsageSets.of((name) => listed.includes(extendedKeyUsages[name]));
}

/**
 * The subsets of a few names, each of which is one object: cached certificates share them, since a Set takes 200 bytes that
 * the garbage collector moves twice.
 */
function createSubsets<Name extends string>(names: readonly Name[]) {
  const subsets = new Map<number, ReadonlySet<Name>>();
  return {
    of: (contains: (name: Name) => boolean): ReadonlySet<Name> => {
      let mask = 0;
      for (const name of names) mask = 2 * mask + (contains(name) ? 1 : 0);
      const known = subsets.get(mask);
      if (known) return known;
      const subset = new Set(names.filter(contains));
      subsets.set(mask, subset);
      return subset;
    },
  };
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
