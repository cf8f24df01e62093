import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { type DerElement, readObjectIdentifier, Tag } from '../pki/certificate/der.ts';
import { extensionValue, isCritical } from '../pki/certificate/structure.ts';

const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const DELTA_CRL_INDICATOR = '2.5.29.27';
/** authorityKeyIdentifier and cRLNumber: neither changes what the list says. */
const knownExtensions: ReadonlySet<string> = new Set(['2.5.29.35', '2.5.29.20']);
/** indirectCRL [4] IMPLICIT BOOLEAN. */
const INDIRECT_CRL = 0x84;

/**
 * Refuses a CRL that does not list all that its issuer revoked (RFC 5280 §5.2).
 *
 * @param extensions crlExtensions, [0], or undefined where there are none
 * @throws {CertificateError} naming the extension
 */
export function refuseListExtensions(extensions: DerElement | undefined): void {
  for (const extension of extensions?.children[0]?.children ?? []) {
    const [type] = extension.children;
    if (type?.tag !== Tag.objectIdentifier) throw new CertificateError('has an extension without an identifier');
    const id = readObjectIdentifier(type.content);
    if (id === DELTA_CRL_INDICATOR)
      throw new CertificateError('is a delta CRL, which lists changes only (RFC 5280 §5.2.4)');
    if (id === ISSUING_DISTRIBUTION_POINT) throw partialList(extension);
    if (isCritical(extension) && !knownExtensions.has(id)) {
      throw new CertificateError(`has a critical extension that is not read: ${id} (RFC 5280 §5.2)`);
    }
  }
}

function partialList(extension: DerElement): CertificateError {
  if (extensionValue(extension).children.some(({ tag }) => tag === INDIRECT_CRL)) {
    return new CertificateError('is an indirect CRL, which speaks for other issuers (RFC 5280 §5.2.5)');
  }
  return new CertificateError(
    'has an issuing distribution point, so it may list a part only (RFC 5280 §5.2.5); have the CA write a full CRL',
  );
}
