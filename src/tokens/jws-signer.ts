import { type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { type SigningAlgorithm, signingAlgorithms } from './algorithms/signing-algorithm.ts';

/** Signs a payload; a promise only if the signature is computed elsewhere. */
export type JwsSigner = (payload: string) => string | Promise<string>;

/**
 * A signer of JWS in the compact serialization (RFC 7515 §3.1, §5.1). It costs about half as much as jose's, which
 * always signs in the thread pool: docs/decisions/0013-own-signer.md.
 *
 * @param header the JOSE header of every JWS; `alg` is added
 * @param key suits the algorithm
 */
export function createJwsSigner(algorithm: SigningAlgorithm, header: object, key: KeyObject): JwsSigner {
  const { digest, options, signsIn } = signingAlgorithms[algorithm];
  const encodedHeader = encode(JSON.stringify({ alg: algorithm, ...header }));
  const signingKey = { key, ...options() };
  const signingInput = (payload: string) => `${encodedHeader}.${encode(payload)}`;
  if (signsIn === 'event loop') {
    return (payload) => {
      const input = signingInput(payload);
      return serialize(input, sign(digest, Buffer.from(input), signingKey));
    };
  }
  return async (payload) => {
    const input = signingInput(payload);
    return serialize(input, await signInThreadPool(digest, Buffer.from(input), signingKey));
  };
}

const signInThreadPool = promisify(sign);

function serialize(signingInput: string, signature: Buffer): string {
  // Not a template literal: V8 would keep its parts, and JSON.stringify takes twice as long for a response with them.
  return [signingInput, signature.toString('base64url')].join('.');
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}
