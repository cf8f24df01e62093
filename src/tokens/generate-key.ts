import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { SigningAlgorithm } from './algorithms/signing-algorithm.ts';

/** Generates the private key of a new key pair for an algorithm, in the thread pool. */
export async function generatePrivateKey(algorithm: SigningAlgorithm): Promise<KeyObject> {
  return (await generators[algorithm]()).privateKey;
}

const generate = promisify(generateKeyPair);

const ec = (namedCurve: string) => () => generate('ec', { namedCurve });
const ed25519 = () => generate('ed25519', {});
/** As strong as P-256 (NIST SP 800-57 part 1 §5.6.1), and a fifth slower than a key of 2,048 bits to verify. */
const rsa = () => generate('rsa', { modulusLength: 3072, publicExponent: 65_537 });

const generators: Readonly<Record<SigningAlgorithm, () => Promise<{ readonly privateKey: KeyObject }>>> = {
  ES256: ec('P-256'),
  ES384: ec('P-384'),
  ES512: ec('P-521'),
  EdDSA: ed25519,
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
};
