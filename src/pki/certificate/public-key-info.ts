import { createPublicKey, type KeyObject } from 'node:crypto';
import { abbreviate } from '../../text.ts';
import { CertificateError } from './certificate-error.ts';
import { parseDer } from './der.ts';
import { type DerElement, Tag } from './der-element.ts';
import { parseBitString, parseInteger } from './der-values.ts';
import { ACCEPTED_CURVES } from './elliptic-curves.ts';
import { parseObjectIdentifier } from './object-identifier.ts';

/** A SubjectPublicKeyInfo whose encoding was checked. */
export type PublicKeyInfo = EcKeyInfo | RsaKeyInfo | OtherKeyInfo;

interface EcKeyInfo {
  readonly kind: 'ec';
  readonly element: DerElement;
  /** The object identifier of its named curve. */
  readonly curve: string;
  /** In the compressed or the uncompressed form. */
  readonly point: Uint8Array;
}

export interface RsaKeyInfo {
  readonly kind: 'rsa';
  readonly element: DerElement;
  /** Whether it is for every RSA scheme, rather than RSASSA-PSS or an older identifier. */
  readonly isGeneral: boolean;
  /** Both big-endian and not negative. */
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

interface OtherKeyInfo {
  readonly kind: 'other';
  readonly element: DerElement;
}

/** The largest accepted key is that of ML-DSA-87 with 2,592 bytes (RFC 9881). */
const MAX_PUBLIC_KEY_BYTES = 2_700;

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
/** rsaEncryption, RSASSA-PSS, and the RSA of X.509 (1988), which OpenSSL accepts as well. */
const rsaAlgorithms: ReadonlySet<string> = new Set([RSA_ENCRYPTION, '1.2.840.113549.1.1.10', '2.5.8.1.1']);
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

export const unacceptableKey = { code: 'certificate_key_unacceptable' } as const;

/**
 * Parses a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), before anything computes with the key:
 *
 * - A key longer than any accepted one is rejected: an RSA exponent of 15,000 bytes costs 50 ms.
 * - An RSA key is DER, although OpenSSL would accept another encoding of its numbers: the same key would have two
 *   thumbprints. OpenSSL ignores the sign of a number.
 * - An EC key is on a named curve (RFC 5480 §2.1.1), and its point compressed or uncompressed (§2.2). OpenSSL recognizes
 *   the parameters of a known curve and then reports the curve by name, and accepts the point at infinity, with which
 *   anyone can sign.
 *
 * @throws {CertificateError}
 */
export function parsePublicKeyInfo(element: DerElement): PublicKeyInfo {
  const { length } = element.encoded;
  if (length > MAX_PUBLIC_KEY_BYTES) {
    throw new CertificateError(`has a public key of ${length} bytes, longer than any accepted one`, unacceptableKey);
  }
  const [algorithm, key, ...more] = element.children;
  const [id, parameters, ...others] = algorithm?.children ?? [];
  const isAlgorithm = algorithm?.tag === Tag.sequence && id?.tag === Tag.objectIdentifier && others.length === 0;
  if (element.tag !== Tag.sequence || !isAlgorithm || key?.tag !== Tag.bitString || more.length > 0) {
    throw new CertificateError('has a malformed SubjectPublicKeyInfo (RFC 5280 §4.1.2.7)');
  }
  const { bytes, unusedBits } = parseBitString(key);
  if (unusedBits > 0) throw new CertificateError('has a public key of incomplete bytes');
  const oid = parseObjectIdentifier(id);
  if (oid === EC_PUBLIC_KEY) return { kind: 'ec', element, ...parseEcKey(bytes, parameters) };
  if (!rsaAlgorithms.has(oid)) return { kind: 'other', element };
  const isGeneral = oid === RSA_ENCRYPTION && parameters?.tag === Tag.null && parameters.content.length === 0;
  return { kind: 'rsa', element, isGeneral, ...parseRsaKey(bytes) };
}

/** RSAPublicKey, SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017 §A.1.1). */
function parseRsaKey(bytes: Uint8Array): Pick<RsaKeyInfo, 'modulus' | 'exponent'> {
  const { tag, children } = parseDer(bytes);
  const [modulus, exponent, ...more] = children;
  if (tag !== Tag.sequence || modulus?.tag !== Tag.integer || exponent?.tag !== Tag.integer || more.length > 0) {
    throw new CertificateError('has a malformed RSA key (RFC 8017 §A.1.1)');
  }
  return { modulus: parsePositive(modulus), exponent: parsePositive(exponent) };
}

function parsePositive(number: DerElement): Uint8Array {
  const bytes = parseInteger(number);
  if ((bytes[0] ?? 0) < 0x80) return bytes;
  throw new CertificateError('has an RSA key with a negative number (RFC 8017 §3.1)');
}

/** How the point is encoded (RFC 5480 §2.2): 02 and 03 are compressed, 04 is uncompressed. */
const acceptedPointForms: ReadonlySet<number | undefined> = new Set([0x02, 0x03, 0x04]);

function parseEcKey(point: Uint8Array, parameters: DerElement | undefined): Pick<EcKeyInfo, 'curve' | 'point'> {
  if (parameters?.tag !== Tag.objectIdentifier) {
    throw new CertificateError(`has an EC key on an unnamed curve; ${ACCEPTED_CURVES} are accepted`, unacceptableKey);
  }
  if (acceptedPointForms.has(point[0])) return { curve: parseObjectIdentifier(parameters), point };
  throw new CertificateError(
    'has an EC key whose point is neither compressed nor uncompressed (RFC 5480 §2.2)',
    unacceptableKey,
  );
}

/**
 * The public key of a certificate, as OpenSSL decodes it.
 *
 * @param info its SubjectPublicKeyInfo, of which {@link parsePublicKeyInfo} checked the encoding
 * @throws {CertificateError} when it is malformed, or of an unknown type
 */
export function publicKeyOf({ encoded, children: [algorithm] }: DerElement): KeyObject {
  try {
    // A Buffer that is a view: Node's types accept no other array.
    const key = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    const [id] = algorithm?.children ?? [];
    const oid = id ? parseObjectIdentifier(id) : 'missing';
    throw new CertificateError(
      `has a public key that is malformed or of an unknown type (algorithm ${abbreviate(oid)})`,
      unacceptableKey,
    );
  }
}
