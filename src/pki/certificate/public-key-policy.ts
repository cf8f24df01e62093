import type { KeyObject } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import type { DerElement } from './der-element.ts';
import { ACCEPTED_CURVES, acceptedCurves, nistCurveOf } from './elliptic-curves.ts';
import {
  type PublicKeyInfo,
  parsePublicKeyInfo,
  publicKeyOf,
  type RsaKeyInfo,
  unacceptableKey,
} from './public-key-info.ts';

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const MIN_RSA_EXPONENT = 65537n;
/** A longer exponent makes verification as slow as signing; none is in use. */
const MAX_RSA_EXPONENT = 2n ** 64n - 1n;

type KeyDetails = NonNullable<KeyObject['asymmetricKeyDetails']>;

/** What the rules depend on, as Node names it. */
type KeyFacts = { readonly type: string | undefined; readonly details: KeyDetails };

/**
 * Rejects a public key that is malformed, too weak or of an unknown type.
 *
 * @param element a SubjectPublicKeyInfo
 * @throws {CertificateError} naming the rule
 */
export function requireStrongKey(element: DerElement): void {
  const info = parsePublicKeyInfo(element);
  const { type, details } = usualKeyFacts(info) ?? factsFromOpenssl(info);
  if (type === undefined) throw new CertificateError('has a public key of an unknown type', unacceptableKey);
  const rule = keyRules[type];
  if (!rule) throw new CertificateError(`has a public key of type ${type}, which is not accepted`, unacceptableKey);
  rule(details);
}

/**
 * The keys of nearly all clients, without OpenSSL: it takes 12 µs and 184 blocks of memory to decode a key with which nothing
 * is verified.
 */
function usualKeyFacts(info: PublicKeyInfo): KeyFacts | undefined {
  if (info.kind === 'rsa' && info.isGeneral) return { type: 'rsa', details: rsaDetails(info) };
  const namedCurve = info.kind === 'ec' ? nistCurveOf(info.curve, info.point) : undefined;
  return namedCurve === undefined ? undefined : { type: 'ec', details: { namedCurve } };
}

function rsaDetails({ modulus, exponent }: RsaKeyInfo): KeyDetails {
  const [first = 0] = modulus;
  const modulusLength = 8 * modulus.length - (Math.clz32(first) - 24);
  return { modulusLength, publicExponent: BigInt(`0x${Buffer.from(exponent).toString('hex')}`) };
}

function factsFromOpenssl({ element }: PublicKeyInfo): KeyFacts {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = publicKeyOf(element);
  return { type, details };
}

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
