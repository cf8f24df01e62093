import { abbreviate } from '../../text.ts';
import { CertificateError } from './certificate-error.ts';
import { type DerElement, Tag } from './der-element.ts';
import { directoryKey, type PointName, parseGeneralNames, parsePointNames } from './distribution-point-name.ts';
import { ExtensionOid } from './extensions.ts';
import type { EncodedName } from './names/distinguished-name.ts';
import { ALL_REASONS, parseReasonFlags, type ReasonFlags } from './revocation-reasons.ts';
import { type CertificateStructure, isCritical, parseExtensionValue } from './structure.ts';
import { DIRECTORY_NAME_TAG } from './subject-alternative-names.ts';

/** Which CRLs of its issuer list a certificate if it is revoked (RFC 5280 §4.2.1.13). */
export interface CrlDistributionPoints {
  /** The names in the extension, for logs and reports; undefined if the certificate has no such extension. */
  readonly named: readonly string[] | undefined;
  /**
   * The reasons for which a CRL of the issuer lists the certificate, by the key of a name in the CRL's issuing
   * distribution point. Always contains the names of the issuer itself, for all reasons (RFC 5280 §6.3.3, last paragraph).
   */
  readonly reasonsByName: ReadonlyMap<string, ReasonFlags>;
}

/**
 * Parses the CRL distribution points of a certificate. Unless it is critical, a malformed extension is not an error, since
 * the certificate can be valid without CRLs: it counts as an extension that names no usable distribution point.
 *
 * @param issuerName the issuer of the certificate
 * @throws {CertificateError} when the extension is malformed and critical, is not DER, or has too many relative names
 */
export function parseCrlDistributionPoints(
  { issuer, extensions }: CertificateStructure,
  issuerName: EncodedName,
): CrlDistributionPoints {
  const extension = extensions.get(ExtensionOid.crlDistributionPoints);
  const alternativeNames = extensions.get(ExtensionOid.issuerAlternativeName);
  if (!extension && !alternativeNames) return pointsOfIssuer(issuerName);
  const issuerKey = directoryKey(issuerName);
  const alternatives = alternativeKeys(alternativeNames);
  const reasonsByName = new Map([issuerKey, ...alternatives].map((key) => [key, ALL_REASONS]));
  if (!extension) return { named: undefined, reasonsByName };
  requireFewRelativeNames(extension, issuer);
  const points = parseOrError(() => parsePoints(extension, issuer, issuerKey));
  if (points instanceof CertificateError) {
    if (isCritical(extension)) throw malformed(points);
    return { named: [`a malformed extension: ${points.message}`], reasonsByName };
  }
  for (const { names, reasons, isOfIssuer } of points) {
    for (const { key } of isOfIssuer ? names : []) reasonsByName.set(key, (reasonsByName.get(key) ?? 0) | reasons);
  }
  return { named: points.map(describePoint), reasonsByName };
}

/** Those of a certificate without such an extension are those of its issuer, which certificates share in the cache. */
const pointsByIssuer = new WeakMap<EncodedName, CrlDistributionPoints>();

function pointsOfIssuer(issuerName: EncodedName): CrlDistributionPoints {
  const known = pointsByIssuer.get(issuerName);
  if (known) return known;
  const points = { named: undefined, reasonsByName: new Map([[directoryKey(issuerName), ALL_REASONS]]) };
  pointsByIssuer.set(issuerName, points);
  return points;
}

interface DistributionPoint {
  readonly names: readonly PointName[];
  readonly reasons: ReasonFlags;
  /** Whether the certificate's issuer also issues the CRLs. */
  readonly isOfIssuer: boolean;
}

function parsePoints(extension: DerElement, issuer: DerElement, issuerKey: string): DistributionPoint[] {
  const { tag, children } = parseExtensionValue(extension);
  if (tag !== Tag.sequence) throw new CertificateError('not a SEQUENCE');
  return children.map((point) => parsePoint(point, issuer, issuerKey));
}

const DISTRIBUTION_POINT = 0xa0;
const REASONS = 0x81;
const CRL_ISSUER = 0xa2;

/** Without a distributionPoint, the names of the CRL issuer count (RFC 5280 §6.3.3 (b)(2)(i)). */
function parsePoint({ children }: DerElement, issuer: DerElement, issuerKey: string): DistributionPoint {
  const field = (tag: number) => children.find((child) => child.tag === tag);
  const [name, reasons, crlIssuer] = [field(DISTRIBUTION_POINT), field(REASONS), field(CRL_ISSUER)];
  const issuers = crlIssuer && parseGeneralNames(crlIssuer);
  const directory = crlIssuer?.children.find(({ tag }) => tag === DIRECTORY_NAME_TAG)?.children[0];
  return {
    names: name ? parsePointNames(name, directory ?? issuer) : (issuers ?? []),
    reasons: reasons ? parseReasonFlags(reasons) : ALL_REASONS,
    isOfIssuer: issuers === undefined || issuers.some(({ key }) => key === issuerKey),
  };
}

/** 60 names of an issuer of 200 bytes. */
const MAX_COMPLETED_BYTES = 16_384;
const RELATIVE_NAME = 0xa1;

/**
 * Limits the names that are relative to the CRL issuer, also where a validator ignores the extension. OpenSSL completes
 * each with the name of the issuer as well, so 400 of them and an issuer of 8,000 bytes, which any client can send, would
 * take 500 ms.
 */
function requireFewRelativeNames(extension: DerElement, issuer: DerElement): void {
  // OpenSSL would also parse BER, in which names could hide.
  const { children: points } = parseExtensionValue(extension);
  const relative = points.filter(({ children }) =>
    children.some(({ tag, children: [name] }) => tag === DISTRIBUTION_POINT && name?.tag === RELATIVE_NAME),
  );
  const completed = relative.reduce((sum, { encoded }) => sum + issuer.encoded.length + encoded.length, 0);
  if (completed <= MAX_COMPLETED_BYTES) return;
  throw new CertificateError(
    `has ${relative.length} CRL distribution points relative to the CRL issuer, ${completed} bytes with the name of the issuer; at most ${MAX_COMPLETED_BYTES} are accepted`,
  );
}

function describePoint({ names, isOfIssuer }: DistributionPoint): string {
  const text = abbreviate(names.map((name) => name.text).join(' or ')) || 'a distribution point without a name';
  return isOfIssuer ? text : `${text} of another CRL issuer`;
}

function alternativeKeys(extension: DerElement | undefined): string[] {
  const names = extension && parseOrError(() => parseGeneralNames(parseExtensionValue(extension)));
  return names === undefined || names instanceof CertificateError ? [] : names.map(({ key }) => key);
}

function malformed(cause: CertificateError): CertificateError {
  const problem = 'its CRL distribution points are malformed';
  return new CertificateError(`${problem}: ${cause.message} (RFC 5280 §4.2.1.13)`, { cause });
}

function parseOrError<Value>(parse: () => Value): Value | CertificateError {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CertificateError) return error;
    throw error;
  }
}
