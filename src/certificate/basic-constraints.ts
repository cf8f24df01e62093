import { CertificateError } from './certificate-error.ts';
import { extensionValue } from './certificate-structure.ts';
import { type DerElement, Tag } from './der.ts';

/** What a certificate says of its holder's power to issue others (RFC 5280 §4.2.1.9). */
export interface BasicConstraints {
  readonly isAuthority: boolean;
  /** How many intermediates may follow at most, self-issued ones not counted; undefined: any number. */
  readonly pathLength: number | undefined;
}

/** Without the extension nobody is an authority. */
const none: BasicConstraints = { isAuthority: false, pathLength: undefined };

const MAX_PATH_LENGTH_OCTETS = 2;

/**
 * Reads SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }.
 *
 * @param extension the `Extension` element, or undefined where the certificate has none
 * @throws {CertificateError} when it is malformed
 */
export function readBasicConstraints(extension: DerElement | undefined): BasicConstraints {
  if (!extension) return none;
  const { tag, children } = extensionValue(extension);
  const [first, second, ...more] = children;
  const writesTrue = first?.tag === Tag.boolean && first.content[0] === 0xff;
  const pathLengthOnlyForAuthorities = second === undefined || second.tag === Tag.integer;
  const wellFormed = tag === Tag.sequence && (first === undefined || (writesTrue && pathLengthOnlyForAuthorities));
  if (!wellFormed || more.length > 0) throw new CertificateError('not DER: its basicConstraints are malformed');
  return writesTrue ? { isAuthority: true, pathLength: second && smallNumber(second.content) } : none;
}

function smallNumber(octets: Uint8Array): number {
  const [first = 0x80] = octets;
  if (first >= 0x80 || octets.length > MAX_PATH_LENGTH_OCTETS) {
    throw new CertificateError('has a path length that no path has');
  }
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}
