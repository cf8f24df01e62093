import type { KeyObject } from 'node:crypto';
import { type SigningAlgorithm, signingAlgorithms } from './algorithms/signing-algorithm.ts';

/** The runtime does not have an algorithm. The message contains the fix. */
export class UnavailableAlgorithmError extends Error {
  override readonly name = 'UnavailableAlgorithmError';

  constructor(algorithm: SigningAlgorithm, options?: ErrorOptions) {
    const { node, openssl } = process.versions;
    const fix = 'use Node.js 24.7 or later with OpenSSL 3.5 or later';
    super(`${algorithm} is not available in Node.js ${node} with OpenSSL ${openssl}: ${fix}`, options);
  }
}

/**
 * Generates the private key of a new key pair for an algorithm, in the thread pool.
 *
 * @throws {UnavailableAlgorithmError}
 */
export async function generatePrivateKey(algorithm: SigningAlgorithm): Promise<KeyObject> {
  try {
    return await signingAlgorithms[algorithm].generate();
  } catch (cause) {
    throw new UnavailableAlgorithmError(algorithm, { cause });
  }
}
