import type { CaCertificate } from '../certificate/ca-certificate.ts';
import type { Certificate } from '../certificate/certificate.ts';

/**
 * A certification path: a leaf, who signed it, who signed that, up to a trust anchor (RFC 5280 §6.1 counts from the
 * other end).
 */
export interface CertificationPath {
  readonly leaf: Certificate;
  /** The issuer of the leaf first, the anchor last; there is at least one. */
  readonly caCertificates: readonly CaCertificate[];
}

/** Why a path does not hold: which of its certificates, what is wrong with it, and where that is written. */
export interface PathViolation {
  /** 0 is the leaf, 1 its issuer, and so on. */
  readonly position: number;
  readonly subject: string;
  readonly problem: string;
  /** E.g. `RFC 5280 §6.1.4 (l)`. */
  readonly section: string;
}

/** @param position 0 is the leaf */
export function pathViolation(
  { leaf, caCertificates }: CertificationPath,
  position: number,
  problem: string,
  section: string,
): PathViolation {
  const certificate = position === 0 ? leaf : caCertificates[position - 1];
  return { position, subject: certificate?.subjectText ?? '', problem, section };
}

/** One sentence for an audit event. */
export function describePathViolation({ position, subject, problem, section }: PathViolation): string {
  const who = position === 0 ? 'the certificate' : `CA "${subject}" (${position} above the certificate)`;
  return `${who} ${problem} (${section})`;
}

/** Through whom a path goes, for people. */
export function describePath({ caCertificates }: CertificationPath): string {
  return `path to anchor ${caCertificates
    .map(({ subjectText }) => `"${subjectText}"`)
    .toReversed()
    .join(' → ')}`;
}
