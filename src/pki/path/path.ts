import type { InvalidClientCode } from '../../reasons/reasons.ts';
import type { CaCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';

/** A leaf, its issuer, the issuer of that, up to a trust anchor (RFC 5280 §6.1, which counts from the other end). */
export interface CertificationPath {
  readonly leaf: Certificate;
  /** The issuer of the leaf first, the anchor last; never empty. */
  readonly caCertificates: readonly CaCertificate[];
}

/** The certificate at a position: 0 is the leaf, 1 its issuer, and so on. */
export function certificateAt({ leaf, caCertificates }: CertificationPath, position: number): Certificate | undefined {
  return position === 0 ? leaf : caCertificates[position - 1];
}

/** Why a path is not valid: the certificate, what is wrong with it, and the section that requires otherwise. */
export interface PathViolation {
  readonly code: InvalidClientCode;
  /** 0 is the leaf, 1 its issuer, and so on. */
  readonly position: number;
  readonly subject: string;
  readonly problem: string;
  /** E.g. `RFC 5280 §6.1.4 (l)`. */
  readonly section: string;
}

/** @param position 0 is the leaf */
export function pathViolation(
  path: CertificationPath,
  position: number,
  { code, problem, section }: Pick<PathViolation, 'code' | 'problem' | 'section'>,
): PathViolation {
  return { code, position, subject: certificateAt(path, position)?.subjectText ?? '', problem, section };
}

/** A one-sentence reason for the audit log. */
export function describePathViolation({ position, subject, problem, section }: PathViolation): string {
  const certificate = position === 0 ? 'the certificate' : `CA "${subject}" (${position} above the certificate)`;
  return `${certificate} ${problem} (${section})`;
}

/** The CA certificates of a path, for logs and reports. */
export function describePath({ caCertificates }: CertificationPath): string {
  const [issuer] = caCertificates;
  const known = issuer && descriptions.get(issuer);
  if (known && isSameList(known.caCertificates, caCertificates)) return known.description;
  const names = caCertificates.map(({ subjectText }) => `"${subjectText}"`);
  const description = `path to anchor ${names.reverse().join(' → ')}`;
  if (issuer) descriptions.set(issuer, { caCertificates, description });
  return description;
}

/**
 * Of the last path through each issuer of a leaf: every request has a path, and its audit event the description. Not of
 * each path: those to one CA have the same.
 */
const descriptions = new WeakMap<
  CaCertificate,
  { readonly caCertificates: readonly CaCertificate[]; readonly description: string }
>();

function isSameList(one: readonly CaCertificate[], other: readonly CaCertificate[]): boolean {
  return one.length === other.length && one.every((ca, index) => ca === other[index]);
}
