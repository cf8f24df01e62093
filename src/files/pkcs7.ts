import { type BerElement, BerTag, objectIdentifierOf, parseBer } from './ber.ts';
import { FileContentError } from './file-content-error.ts';

const SIGNED_DATA = '1.2.840.113549.1.7.2';

/** What a PKCS #7 file (`.p7b`, `.p7c`) contains. */
export interface Pkcs7 {
  /** DER. Their order has no meaning: they are a SET. */
  readonly certificates: readonly Uint8Array[];
  /** Parts of the file that are not read, for warnings. */
  readonly unread: readonly string[];
}

/**
 * Parses the certificates of a PKCS #7 message (SignedData, RFC 5652 §5.1). Signatures are not verified: the file only
 * transports certificates.
 *
 * @throws {FileContentError} if it contains none, with what it is instead
 */
export function parsePkcs7(content: Uint8Array): Pkcs7 {
  const [type, explicit] = parseBer(content).elements;
  if (type?.tag !== BerTag.objectIdentifier || objectIdentifierOf(type) !== SIGNED_DATA)
    throw new FileContentError('is a PKCS #7 message that is not SignedData, so it contains no certificates');
  const signedData = explicit?.elements[0]?.elements ?? [];
  const partsOf = (tag: number): readonly BerElement[] => signedData.find((part) => part.tag === tag)?.elements ?? [];
  // Attribute certificates have tags of their own.
  const certificates = partsOf(BerTag.context0).filter(({ tag }) => tag === BerTag.sequence);
  if (certificates.length === 0) throw new FileContentError('is a PKCS #7 message without certificates');
  const crls = partsOf(BerTag.context1).length;
  return {
    certificates: certificates.map(({ encoded }) => encoded),
    unread: crls > 0 ? ['CRLs, which are not read'] : [],
  };
}
