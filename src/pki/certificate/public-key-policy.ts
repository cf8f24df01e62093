import type { KeyObject } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import { type DerElement, parseObjectIdentifier, Tag } from './der.ts';

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const MIN_RSA_EXPONENT = 65537n;
/** A longer one makes a signature check as slow as a signature; nobody uses one. */
const MAX_RSA_EXPONENT = 2n ** 64n - 1n;

/** ML-DSA-87 has the largest key of those that we accept, 2,592 octets (RFC 9881). */
const MAX_PUBLIC_KEY_BYTES = 2_700;

/**
 * Refuses a SubjectPublicKeyInfo that is longer than any key we accept, before somebody calculates with its numbers:
 * an RSA exponent of 15,000 octets costs 50 ms.
 *
 * @throws {CertificateError}
 */
export function limitPublicKeySize({ encoded: { length } }: DerElement): void {
  if (length > MAX_PUBLIC_KEY_BYTES)
    throw new CertificateError(`has a public key of ${length} octets, more than any usual one`);
}

/**
 * Refuses a SubjectPublicKeyInfo that writes out the parameters of its curve: RFC 5480 §2.1.1 wants the curve's name.
 * OpenSSL recognises the parameters of a known curve, and calls the curve by its name.
 *
 * @throws {CertificateError}
 */
export function requireNamedCurve({ children: [algorithm] }: DerElement): void {
  const [id, parameters] = algorithm?.children ?? [];
  if (id?.tag !== Tag.objectIdentifier || parseObjectIdentifier(id.content) !== EC_PUBLIC_KEY) return;
  if (parameters?.tag !== Tag.objectIdentifier)
    throw new CertificateError('has an EC key on an unnamed curve; P-256, P-384, P-521 are accepted');
}

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

/**
 * Refuses a public key that is too weak, or of a kind that we do not know.
 *
 * @throws {CertificateError} naming the rule
 */
export function requireStrongKey(key: KeyObject): void {
  const type = key.asymmetricKeyType;
  if (type === undefined) throw new CertificateError('has a public key of an unknown kind');
  const rule = keyRules[type];
  if (!rule) throw new CertificateError(`has a public key of kind ${type}, which is not accepted`);
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
    throw new CertificateError(`has an RSA key with exponent ${publicExponent}; odd and at least 65537 is accepted`);
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

const always = () => {};

/** The kinds of public key that we accept, as Node names them. */
const keyRules: Readonly<Record<string, (details: KeyDetails) => void>> = {
  rsa: requireRsa,
  'rsa-pss': requireRsa,
  ec: requireAcceptedCurve,
  ed25519: always,
  ed448: always,
  'ml-dsa-44': always,
  'ml-dsa-65': always,
  'ml-dsa-87': always,
};
