import { createPublicKey, type KeyObject } from 'node:crypto';
import { abbreviate } from '../../text.ts';
import { CertificateError } from './certificate-error.ts';
import { parseDer } from './der.ts';
import { type DerElement, Tag } from './der-element.ts';
import { parseBitString, parseInteger, parseObjectIdentifier } from './der-values.ts';

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const MIN_RSA_EXPONENT = 65537n;
/** A longer exponent makes verification as slow as signing; none is in use. */
const MAX_RSA_EXPONENT = 2n ** 64n - 1n;

/** The largest accepted key is that of ML-DSA-87 with 2,592 bytes (RFC 9881). */
const MAX_PUBLIC_KEY_BYTES = 2_700;

/** rsaEncryption, RSASSA-PSS, and the RSA of X.509 (1988), which OpenSSL accepts as well. */
const rsaAlgorithms: ReadonlySet<string> = new Set(['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.10', '2.5.8.1.1']);
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

const unacceptableKey = { code: 'certificate_key_unacceptable' } as const;

/**
 * Checks the encoding of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) before OpenSSL computes with the key:
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
export function checkPublicKeyInfo(info: DerElement): void {
  const { length } = info.encoded;
  if (length > MAX_PUBLIC_KEY_BYTES) {
    throw new CertificateError(`has a public key of ${length} bytes, longer than any accepted one`, unacceptableKey);
  }
  const [algorithm, key, ...more] = info.children;
  const [id, parameters] = algorithm?.children ?? [];
  const isWellFormed =
    algorithm?.tag === Tag.sequence && id?.tag === Tag.objectIdentifier && key?.tag === Tag.bitString;
  if (info.tag !== Tag.sequence || !isWellFormed || more.length > 0) {
    throw new CertificateError('has a malformed SubjectPublicKeyInfo (RFC 5280 §4.1.2.7)');
  }
  const { bytes, unusedBits } = parseBitString(key);
  if (unusedBits > 0) throw new CertificateError('has a public key of incomplete bytes');
  const oid = parseObjectIdentifier(id.content);
  if (rsaAlgorithms.has(oid)) checkRsaKey(bytes);
  if (oid === EC_PUBLIC_KEY) checkEcKey(bytes, parameters);
}

/** RSAPublicKey, SEQUENCE { modulus INTEGER, publicExponent INTEGER } (RFC 8017 §A.1.1). */
function checkRsaKey(bytes: Uint8Array): void {
  const { tag, children } = parseDer(bytes);
  const isWellFormed =
    tag === Tag.sequence && children.length === 2 && children.every((each) => each.tag === Tag.integer);
  if (!isWellFormed) throw new CertificateError('has a malformed RSA key (RFC 8017 §A.1.1)');
  const isNegative = children.some((number) => (parseInteger(number)[0] ?? 0) >= 0x80);
  if (isNegative) throw new CertificateError('has an RSA key with a negative number (RFC 8017 §3.1)');
}

/** How the point is encoded (RFC 5480 §2.2): 02 and 03 are compressed, 04 is uncompressed. */
const acceptedPointForms: ReadonlySet<number | undefined> = new Set([0x02, 0x03, 0x04]);

function checkEcKey([form]: Uint8Array, parameters: DerElement | undefined): void {
  if (parameters?.tag !== Tag.objectIdentifier) {
    throw new CertificateError(`has an EC key on an unnamed curve; ${ACCEPTED_CURVES} are accepted`, unacceptableKey);
  }
  if (acceptedPointForms.has(form)) return;
  throw new CertificateError(
    'has an EC key whose point is neither compressed nor uncompressed (RFC 5480 §2.2)',
    unacceptableKey,
  );
}

/**
 * The public key of a certificate, as OpenSSL decodes it.
 *
 * @param info its SubjectPublicKeyInfo
 * @throws {CertificateError} when it is malformed, or of an unknown type
 */
export function publicKeyOf({ encoded, children: [algorithm] }: DerElement): KeyObject {
  try {
    // A Buffer that is a view: Node's types accept no other array.
    const key = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    const [id] = algorithm?.children ?? [];
    const oid = id ? parseObjectIdentifier(id.content) : 'missing';
    throw new CertificateError(
      `has a public key that is malformed or of an unknown type (algorithm ${abbreviate(oid)})`,
      unacceptableKey,
    );
  }
}

/**
 * Rejects a public key that is too weak or of an unknown type.
 *
 * @throws {CertificateError} naming the rule
 */
export function requireStrongKey(key: KeyObject): void {
  const type = key.asymmetricKeyType;
  if (type === undefined) throw new CertificateError('has a public key of an unknown type', unacceptableKey);
  const rule = keyRules[type];
  if (!rule) throw new CertificateError(`has a public key of type ${type}, which is not accepted`, unacceptableKey);
  rule(key.asymmetricKeyDetails ?? {});
}

type KeyDetails = NonNullable<KeyObject['asymmetricKeyDetails']>;

function requireRsa(details: KeyDetails): void {
  const [violation] = rsaKeyViolations(details);
  if (violation !== undefined) throw new CertificateError(violation, unacceptableKey);
}

/** Why an RSA key is not accepted, of a client or for signing: every reason, a predicate of what has the key. */
export function rsaKeyViolations({ modulusLength = 0, publicExponent = 0n }: KeyDetails): readonly string[] {
  const violations: string[] = [];
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS)
    violations.push(`has an RSA key of ${modulusLength} bits; ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are accepted`);
  if (publicExponent < MIN_RSA_EXPONENT || publicExponent % 2n === 0n)
    violations.push(`has an RSA key with exponent ${publicExponent}; it must be odd and at least 65537`);
  if (publicExponent > MAX_RSA_EXPONENT) violations.push('has an RSA key with an exponent of more than 64 bits');
  return violations;
}

/** The NIST curves, and those of RFC 5639 with pseudo-random parameters, which German government PKIs require. */
const acceptedCurves: ReadonlySet<string> = new Set([
  'prime256v1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
]);
const ACCEPTED_CURVES = 'P-256, P-384, P-521, brainpoolP256r1, brainpoolP384r1 and brainpoolP512r1';

function requireAcceptedCurve({ namedCurve }: KeyDetails): void {
  if (namedCurve === undefined || !acceptedCurves.has(namedCurve)) {
    throw new CertificateError(
      `has an EC key on ${namedCurve ?? 'an unnamed curve'}; ${ACCEPTED_CURVES} are accepted`,
      unacceptableKey,
    );
  }
}

const acceptAny = () => {};

/** The accepted types of public key, as Node names them. */
const keyRules: Readonly<Record<string, (details: KeyDetails) => void>> = {
  rsa: requireRsa,
  'rsa-pss': requireRsa,
  ec: requireAcceptedCurve,
  ed25519: acceptAny,
  ed448: acceptAny,
  'ml-dsa-44': acceptAny,
  'ml-dsa-65': acceptAny,
  'ml-dsa-87': acceptAny,
};
