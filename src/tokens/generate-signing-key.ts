import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { type SigningAlgorithm, signingAlgorithms } from './algorithms/signing-algorithm.ts';

/** The runtime does not have an algorithm. The message contains the fix. */
export class UnavailableAlgorithmError extends Error {
  override readonly name = 'UnavailableAlgorithmError';

  constructor(algorithm: SigningAlgorithm, options?: ErrorOptions) {
    const { node, openssl } = process.versions;
    super(`${algorithm} is not available in Node.js ${node} with OpenSSL ${openssl}: use Node.js 26 or later`, options);
  }
}

/**
 * Generates a private key, as a JWK with `alg`, `use` and `kid` (RFC 7517 §4), which `parseSigningKey` reads.
 *
 * @throws {UnavailableAlgorithmError}
 */
export async function generateSigningKey(algorithm: SigningAlgorithm): Promise<JWK> {
  const key = await generate(algorithm);
  const { kid, ...others } = await publicJwkOf(key, algorithm);
  // Safe: Node exports a JWK.
  return { ...(key.export({ format: 'jwk' }) as JWK), ...others, kid };
}

async function generate(algorithm: SigningAlgorithm): Promise<KeyObject> {
  try {
    return await signingAlgorithms[algorithm].generate();
  } catch (cause) {
    throw new UnavailableAlgorithmError(algorithm, { cause });
  }
}

/** The public key as published in the JWKS; its `kid` is its thumbprint (RFC 7638). */
export async function publicJwkOf(
  key: KeyObject,
  algorithm: SigningAlgorithm,
): Promise<JWK & { readonly kid: string }> {
  const members = createPublicKey(key).export({ format: 'jwk' }) as JWK;
  return { ...members, use: 'sig', alg: algorithm, kid: await calculateJwkThumbprint(members) };
}
