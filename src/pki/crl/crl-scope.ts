import { abbreviate } from '../../text.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { type DerElement, Tag } from '../certificate/der-element.ts';
import { parseBoolean } from '../certificate/der-values.ts';
import { type PointName, parsePointNames } from '../certificate/distribution-point-name.ts';
import { ALL_REASONS, describeReasons, parseReasonFlags, type ReasonFlags } from '../certificate/revocation-reasons.ts';
import { parseExtensionValue } from '../certificate/structure.ts';

/** Which certificates of its issuer a CRL lists if they are revoked (RFC 5280 §5.2.5). */
export interface CrlScope {
  readonly certificates: 'all' | 'end-entity' | 'CA';
  /** The names of the distribution point; undefined if the CRL is not limited to the certificates of one. */
  readonly names: readonly PointName[] | undefined;
  readonly reasons: ReasonFlags;
}

const COMPLETE: CrlScope = { certificates: 'all', names: undefined, reasons: ALL_REASONS };

/**
 * Parses the issuing distribution point of a CRL.
 *
 * @param extension the `Extension` element, or undefined if the CRL has none: it is then complete
 * @param issuer the Name of the CRL's issuer
 * @throws {CertificateError} when it is malformed, or no certificate can be checked against such a CRL
 */
export function parseCrlScope(extension: DerElement | undefined, issuer: DerElement): CrlScope {
  if (!extension) return COMPLETE;
  const fields = fieldsOf(parseExtensionValue(extension));
  // BOOLEAN DEFAULT FALSE: a default that is written out has the same meaning.
  const isTrue = (tag: number) => {
    const field = fields.get(tag);
    return field !== undefined && parseBoolean(field);
  };
  if (isTrue(Field.indirectCrl)) {
    throw new CertificateError('is an indirect CRL, which can cover other issuers; not supported (RFC 5280 §5.2.5)');
  }
  if (isTrue(Field.onlyAttributeCertificates)) {
    throw new CertificateError('covers attribute certificates only (onlyContainsAttributeCerts, RFC 5280 §5.2.5)');
  }
  const [onlyUser, onlyCa] = [isTrue(Field.onlyUserCertificates), isTrue(Field.onlyCaCertificates)];
  if (onlyUser && onlyCa) {
    throw new CertificateError(
      'covers no certificate: it has both onlyContainsUserCerts and onlyContainsCACerts (RFC 5280 §5.2.5)',
    );
  }
  const [name, reasons] = [fields.get(Field.distributionPoint), fields.get(Field.onlySomeReasons)];
  return {
    certificates: onlyUser ? 'end-entity' : onlyCa ? 'CA' : 'all',
    names: name && parsePointNames(name, issuer),
    reasons: reasons ? parseReasonFlags(reasons) : ALL_REASONS,
  };
}

/** The tags of the fields, in their order. */
const Field = {
  distributionPoint: 0xa0,
  onlyUserCertificates: 0x81,
  onlyCaCertificates: 0x82,
  onlySomeReasons: 0x83,
  indirectCrl: 0x84,
  onlyAttributeCertificates: 0x85,
} as const;

const fieldOrder: readonly number[] = Object.values(Field);

function fieldsOf({ tag, children }: DerElement): ReadonlyMap<number, DerElement> {
  const positions = children.map((child) => fieldOrder.indexOf(child.tag));
  const areInOrder = positions.every((position, index) => position > (positions[index - 1] ?? -1));
  if (tag !== Tag.sequence || !areInOrder) throw malformed();
  return new Map(children.map((child) => [child.tag, child]));
}

function malformed(): CertificateError {
  return new CertificateError('has a malformed issuing distribution point (RFC 5280 §5.2.5)');
}

/** The same text for CRLs that replace each other, and another text for CRLs of different scopes. */
export function scopeKey({ certificates, names, reasons }: CrlScope): string {
  return JSON.stringify([certificates, reasons, names?.map(({ key }) => key).sort()]);
}

/** Empty for a complete CRL. */
export function describeScope({ certificates, names, reasons }: CrlScope): string {
  const type = certificates === 'all' ? [] : [`${certificates} certificates only`];
  const point = names ? [`distribution point ${abbreviate(names.map(({ text }) => text).join(' or '))}`] : [];
  const some = reasons === ALL_REASONS ? [] : [`reasons ${describeReasons(reasons)} only`];
  return [...type, ...point, ...some].join(', ');
}
