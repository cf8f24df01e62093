import { CertificateError } from './certificate-error.ts';
import { extensionValue } from './certificate-structure.ts';
import { type DerElement, readObjectIdentifier, Tag } from './der.ts';

const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const MAX_PURPOSES = 64;

/**
 * Refuses a certificate that is not meant to be shown by a client: a CA's, or one for other purposes only.
 *
 * @param extensions the `Extension` elements by identifier
 * @throws {CertificateError} naming the rule, or what is malformed
 */
export function requireClientPurpose(extensions: ReadonlyMap<string, DerElement>): void {
  const constraints = extensions.get(BASIC_CONSTRAINTS);
  if (constraints && isAuthority(constraints)) {
    throw new CertificateError('is a CA certificate (basicConstraints CA:TRUE); a client needs CA:FALSE');
  }
  const purposes = extensions.get(EXTENDED_KEY_USAGE);
  if (purposes && !readPurposes(purposes).includes(CLIENT_AUTH)) {
    throw new CertificateError('is not meant for clients: its extended key usage lacks clientAuth');
  }
}

/** RFC 5280 §4.2.1.9: SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }. */
function isAuthority(extension: DerElement): boolean {
  const { tag, children } = extensionValue(extension);
  const [first, second, ...more] = children;
  const writesTrue = first?.tag === Tag.boolean && first.content[0] === 0xff;
  const pathLengthOnlyForAuthorities = second === undefined || second.tag === Tag.integer;
  const wellFormed = tag === Tag.sequence && (first === undefined || (writesTrue && pathLengthOnlyForAuthorities));
  if (!wellFormed || more.length > 0) throw new CertificateError('not DER: its basicConstraints are malformed');
  return writesTrue;
}

/** RFC 5280 §4.2.1.12: a SEQUENCE of identifiers. Without the extension every purpose is allowed. */
function readPurposes(extension: DerElement): string[] {
  const { tag, children } = extensionValue(extension);
  const wellFormed = tag === Tag.sequence && children.every((child) => child.tag === Tag.objectIdentifier);
  if (!wellFormed || children.length === 0) throw new CertificateError('its extended key usage is malformed');
  if (children.length > MAX_PURPOSES) throw new CertificateError(`has more than ${MAX_PURPOSES} extended key usages`);
  return children.map(({ content }) => readObjectIdentifier(content));
}
