import { extensionValue } from './certificate-structure.ts';
import { type DerElement, Tag } from './der.ts';

/** AuthorityKeyIdentifier.keyIdentifier, [0] IMPLICIT. */
const KEY_IDENTIFIER = 0x80;

/**
 * The identifier of the certificate's own key (RFC 5280 §4.2.1.2), in hex. It is a hint for finding issuers: anybody
 * can write any there.
 */
export function readSubjectKeyIdentifier(extension: DerElement | undefined): string | undefined {
  const value = extension && extensionValue(extension);
  return value?.tag === Tag.octetString ? hex(value.content) : undefined;
}

/** The identifier of the key that signed the certificate (RFC 5280 §4.2.1.1), in hex; a hint as well. */
export function readAuthorityKeyIdentifier(extension: DerElement | undefined): string | undefined {
  const identifier = extension && extensionValue(extension).children.find(({ tag }) => tag === KEY_IDENTIFIER);
  return identifier && hex(identifier.content);
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}
