import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { SigningAlgorithm } from './algorithms/signing-algorithm.ts';

/** A public key, or that of a private key, as published in the JWKS (RFC 7517 §4). Its `kid` is its thumbprint (RFC 7638). */
export async function publicJwkOf(
  key: KeyObject,
  algorithm: SigningAlgorithm,
): Promise<JWK & { readonly kid: string }> {
  const members = membersOf(key.type === 'private' ? createPublicKey(key) : key);
  return { ...members, use: 'sig', alg: algorithm, kid: await calculateJwkThumbprint(members) };
}

/** A private key with the parameters of {@link publicJwkOf}, as `parseSigningKey` reads it. */
export async function privateJwkOf(
  key: KeyObject,
  algorithm: SigningAlgorithm,
): Promise<JWK & { readonly kid: string }> {
  return { ...membersOf(key), ...(await publicJwkOf(key, algorithm)) };
}

function membersOf(key: KeyObject): JWK {
  // Safe: Node names the members as RFC 7518 §6, RFC 8037 §2 and RFC 9964 §4 do. The two types differ in optional ones.
  return key.export({ format: 'jwk' }) as JWK;
}
