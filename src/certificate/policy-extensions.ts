import { CertificateError } from './certificate-error.ts';
import { extensionValue } from './certificate-structure.ts';
import { type DerElement, Tag } from './der.ts';

const REQUIRE_EXPLICIT_POLICY = 0x80;
const INHIBIT_POLICY_MAPPING = 0x81;

/**
 * Whether a certificate demands that its path be valid for some policy (RFC 5280 §4.2.1.11). Nobody who asks us names
 * policies, so no other policy extension can make a difference.
 *
 * @param extension policyConstraints, the `Extension` element, or undefined where the certificate has none
 * @throws {CertificateError} when it is malformed
 */
export function demandsPolicy(extension: DerElement | undefined): boolean {
  if (!extension) return false;
  const { tag, children } = extensionValue(extension);
  const tags = children.map((child) => child.tag);
  const known = tags.every((one) => one === REQUIRE_EXPLICIT_POLICY || one === INHIBIT_POLICY_MAPPING);
  if (tag !== Tag.sequence || tags.length === 0 || !known)
    throw new CertificateError('its policy constraints are malformed');
  return tags.includes(REQUIRE_EXPLICIT_POLICY);
}
