import { CertificateError } from '../certificate/certificate-error.ts';
import { parseDer } from '../certificate/der.ts';
import { type DerElement, Tag } from '../certificate/der-element.ts';
import { parseInteger } from '../certificate/der-values.ts';
import { parseObjectIdentifier } from '../certificate/object-identifier.ts';
import { isCritical, parseExtensionValue } from '../certificate/structure.ts';

/** The object identifiers of the extensions that are parsed (RFC 5280 §5.2). */
export const CrlExtensionOid = {
  crlNumber: '2.5.29.20',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  authorityKeyIdentifier: '2.5.29.35',
} as const;

/**
 * Extensions that may be critical. The authority key identifier is a hint for finding the issuer, which is found by
 * verifying the signature.
 */
const processedExtensions: ReadonlySet<string> = new Set([
  CrlExtensionOid.crlNumber,
  CrlExtensionOid.issuingDistributionPoint,
  CrlExtensionOid.authorityKeyIdentifier,
]);

/**
 * Parses the extensions of a CRL.
 *
 * @param extensions crlExtensions, [0], or undefined if there are none
 * @returns the `Extension` elements by object identifier
 * @throws {CertificateError} when it is a delta CRL, or has an extension twice or an unknown critical one
 */
export function parseCrlExtensions(extensions: DerElement | undefined): ReadonlyMap<string, DerElement> {
  const byId = new Map<string, DerElement>();
  for (const extension of extensions?.children[0]?.children ?? []) {
    const id = extensionId(extension);
    if (byId.has(id)) throw new CertificateError(`has extension ${id} twice (RFC 5280 §4.2)`);
    if (id === CrlExtensionOid.deltaCrlIndicator) {
      throw new CertificateError('is a delta CRL, which lists only changes; not supported (RFC 5280 §5.2.4)');
    }
    if (isCritical(extension) && !processedExtensions.has(id)) {
      throw new CertificateError(`has an unknown critical extension: ${id} (RFC 5280 §5.2)`);
    }
    byId.set(id, extension);
  }
  return byId;
}

/** @throws {CertificateError} when the element is not an Extension */
function extensionId({ tag, children }: DerElement): string {
  const [type] = children;
  const isWellFormed = tag === Tag.sequence && children.length <= 3 && children.at(-1)?.tag === Tag.octetString;
  if (isWellFormed && type?.tag === Tag.objectIdentifier) return parseObjectIdentifier(type);
  throw new CertificateError('has a malformed extension: not an object identifier and a value');
}

/**
 * Parses the CRL number (RFC 5280 §5.2.3), of any length.
 *
 * @param extension the `Extension` element, or undefined if the CRL has none
 * @throws {CertificateError} when it is malformed
 */
export function parseCrlNumber(extension: DerElement | undefined): bigint | undefined {
  if (!extension) return undefined;
  const value = parseExtensionValue(extension);
  if (value.tag !== Tag.integer) throw new CertificateError('has a malformed CRL number (RFC 5280 §5.2.3)');
  const content = parseInteger(value);
  return BigInt.asIntN(content.length * 8, BigInt(`0x${Buffer.from(content).toString('hex')}`));
}

/** reasonCode, holdInstructionCode and invalidityDate: the certificate is revoked whatever their values are. */
const knownEntryExtensions: ReadonlySet<string> = new Set(['2.5.29.21', '2.5.29.23', '2.5.29.24']);
const CERTIFICATE_ISSUER = '2.5.29.29';

/**
 * Checks the extensions of an entry. No value affects that the certificate is revoked, neither certificateHold nor, since
 * only delta CRLs have it, removeFromCRL.
 *
 * @param extensions the DER of crlEntryExtensions
 * @throws {CertificateError} when one is critical and unknown, or the entry is about a certificate of another issuer
 */
export function requireKnownEntryExtensions(extensions: Uint8Array): void {
  if (isOneReasonCode(extensions)) return;
  for (const extension of parseDer(extensions).children) {
    const id = extensionId(extension);
    if (id === CERTIFICATE_ISSUER) {
      throw new CertificateError(
        'is an indirect CRL: an entry has a certificateIssuer; not supported (RFC 5280 §5.3.3)',
      );
    }
    if (isCritical(extension) && !knownEntryExtensions.has(id)) {
      throw new CertificateError(`has an entry with an unknown critical extension: ${id} (RFC 5280 §5.3)`);
    }
  }
}

/** The extensions of nearly every entry that has any: one non-critical reasonCode, without its last byte. */
const REASON_CODE = Buffer.from('300c300a0603551d150403' + '0a01', 'hex');

function isOneReasonCode(extensions: Uint8Array): boolean {
  if (extensions.length !== REASON_CODE.length + 1) return false;
  return Buffer.compare(extensions.subarray(0, REASON_CODE.length), REASON_CODE) === 0;
}
