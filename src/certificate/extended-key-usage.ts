import { CertificateError } from './certificate-error.ts';
import { extensionValue } from './certificate-structure.ts';
import { type DerElement, readObjectIdentifier, Tag } from './der.ts';

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
export function readExtendedKeyUsage(extension: DerElement | undefined): readonly string[] | undefined {
  if (!extension) return undefined;
  const { tag, children } = extensionValue(extension);
  const wellFormed = tag === Tag.sequence && children.every((child) => child.tag === Tag.objectIdentifier);
  if (!wellFormed || children.length === 0) throw new CertificateError('its extended key usage is malformed');
  if (children.length > MAX_PURPOSES) throw new CertificateError(`has more than ${MAX_PURPOSES} extended key usages`);
  return children.map(({ content }) => readObjectIdentifier(content));
}
