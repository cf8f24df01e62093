import type { KeyObject } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import { rsaKeyViolations } from '../pki/certificate/public-key-policy.ts';
import { UnavailableAlgorithmError } from './generate-key.ts';
import { createJwsSigner } from './jws-signer.ts';
import type { PublishedKey } from './published-key.ts';

/** Why a key is too weak to sign: every reason. */
export function keyProblems(key: KeyObject): readonly string[] {
  return key.asymmetricKeyType === 'rsa' ? rsaKeyViolations(key.asymmetricKeyDetails ?? {}) : [];
}

/** Describes the type of a key, without its value. */
export function describeKey(key: KeyObject): string {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  return [key.asymmetricKeyType, namedCurve, modulusLength && `${modulusLength} bits`].filter(Boolean).join(' ');
}

/**
 * Signs once and verifies the signature with the published key, as verifiers do.
 *
 * @returns why a key cannot be used although it can be parsed; undefined if it can
 */
export async function signatureProblem(
  key: KeyObject,
  { algorithm, publicJwk }: PublishedKey,
): Promise<string | undefined> {
  if (key.asymmetricKeyType === 'rsa' && !isConsistent(key)) return MISMATCH;
  try {
    await compactVerify(await createJwsSigner(algorithm, {}, key)(''), publicJwk, { algorithms: [algorithm] });
    return undefined;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return MISMATCH;
    // The parsed key is fine: the runtime does not have the algorithm.
    return new UnavailableAlgorithmError(algorithm).message;
  }
}

const MISMATCH = 'its private part does not match its public part: export the key anew';

/**
 * Whether the numbers of an RSA key belong together (RFC 8017 §3.2). OpenSSL signs with the primes, so a signature does
 * not show that `d` is another key's.
 */
function isConsistent(key: KeyObject): boolean {
  const { n, e, d, p, q, dp, dq, qi } = key.export({ format: 'jwk' });
  const numbers = [n, e, d, p, q, dp, dq, qi].map((text = '') => toInteger(text));
  const [modulus = 0n, exponent = 0n, secret = 0n, first = 0n, second = 0n, exponent1, exponent2, coefficient = 0n] =
    numbers;
  if (first < 2n || second < 2n) return false;
  return (
    first * second === modulus &&
    (exponent * secret) % (first - 1n) === 1n &&
    (exponent * secret) % (second - 1n) === 1n &&
    exponent1 === secret % (first - 1n) &&
    exponent2 === secret % (second - 1n) &&
    (coefficient * second) % first === 1n
  );
}

function toInteger(base64url: string): bigint {
  return BigInt(`0x0${Buffer.from(base64url, 'base64url').toString('hex')}`);
}
