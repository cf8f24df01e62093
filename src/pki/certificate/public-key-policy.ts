import type { KeyObject } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import { type DerElement, parseObjectIdentifier, Tag } from './der-element.ts';

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const MIN_RSA_EXPONENT = 65537n;
/** A longer exponent makes verification as slow as signing; none is in use. */
const MAX_RSA_EXPONENT = 2n ** 64n - 1n;

/** The largest accepted key is that of ML-DSA-87 with 2,592 bytes (RFC 9881). */
const MAX_PUBLIC_KEY_BYTES = 2_700;

/**
 * Rejects a SubjectPublicKeyInfo longer than that of any accepted key, before OpenSSL computes with it: an RSA exponent
 * of 15,000 bytes costs 50 ms.
 *
 * @throws {CertificateError}
 */
export function limitPublicKeySize({ encoded: { length } }: DerElement): void {
  if (length <= MAX_PUBLIC_KEY_BYTES) return;
  throw new CertificateError(`has a public key of ${length} bytes, longer than any accepted one`);
}

/**
 * Rejects a SubjectPublicKeyInfo with explicit curve parameters: RFC 5480 §2.1.1 requires a named curve. OpenSSL
 * recognizes the parameters of a known curve and then reports the curve by name.
 *
 * @throws {CertificateError}
 */
export function requireNamedCurve({ children: [algorithm] }: DerElement): void {
  const [id, parameters] = algorithm?.children ?? [];
  if (id?.tag !== Tag.objectIdentifier || parseObjectIdentifier(id.content) !== EC_PUBLIC_KEY) return;
  if (parameters?.tag === Tag.objectIdentifier) return;
  throw new CertificateError('has an EC key on an unnamed curve; P-256, P-384, P-521 are accepted');
}

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

/**
 * Rejects a public key that is too weak or of an unknown type.
 *
 * @throws {CertificateError} naming the rule
 */
export function requireStrongKey(key: KeyObject): void {
  const type = key.asymmetricKeyType;
  if (type === undefined) throw new CertificateError('has a public key of an unknown type');
  const rule = keyRules[type];
  if (!rule) throw new CertificateError(`has a public key of type ${type}, which is not accepted`);
  rule(key.asymmetricKeyDetails ?? {});
}

type KeyDetails = NonNullable<KeyObject['asymmetricKeyDetails']>;

function requireRsa({ modulusLength = 0, publicExponent = 0n }: KeyDetails): void {
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) {
    throw new CertificateError(
      `has an RSA key of ${modulusLength} bits; ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are accepted`,
    );
  }
  if (publicExponent < MIN_RSA_EXPONENT || publicExponent % 2n === 0n) {
    throw new CertificateError(`has an RSA key with exponent ${publicExponent}; it must be odd and at least 65537`);
  }
  if (publicExponent > MAX_RSA_EXPONENT) {
    throw new CertificateError('has an RSA key with an exponent of more than 64 bits');
  }
}

const acceptedCurves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

function requireAcceptedCurve({ namedCurve }: KeyDetails): void {
  if (namedCurve === undefined || !acceptedCurves.has(namedCurve)) {
    throw new CertificateError(
      `has an EC key on ${namedCurve ?? 'an unnamed curve'}; P-256, P-384, P-521 are accepted`,
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
