import type { JWK } from 'jose';
import type { SigningAlgorithm } from './algorithms/signing-algorithm.ts';

/** A key that verifiers find in the JWKS. */
export interface PublishedKey {
  readonly algorithm: SigningAlgorithm;
  /** The RFC 7638 thumbprint of the public key. */
  readonly keyId: string;
  /** The public key as published in the JWKS (RFC 7517 §4). */
  readonly publicJwk: JWK;
}
