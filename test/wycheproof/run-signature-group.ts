import { isUtf8 } from 'node:buffer';
import type { JWK } from 'jose';
import { AccessTokenError, parseObject } from '../../src/tokens/access-token.ts';
import { signingAlgorithmNames } from '../../src/tokens/algorithms/signing-algorithm.ts';
import type { PublishedKey } from '../../src/tokens/published-key.ts';
import { parseSigningKey } from '../../src/tokens/signing-key.ts';
import { decodeSegments, verifySignature } from '../../src/tokens/verify-access-token.ts';
import type { SignatureGroup, Vector } from './signature-file.ts';

export interface SignatureOutcome {
  readonly id: number;
  readonly comment: string;
  readonly kind: 'agreement' | 'wrong acceptance' | 'wrong rejection' | 'out of scope';
  /** Why the signature is rejected, or why the vector is out of scope; undefined if it is accepted. */
  readonly reason: string | undefined;
}

/**
 * Verifies the vectors of one key as the server verifies the signature of a token: strict segments, the algorithm of the
 * key, the signature. The type and the claims of an access token are not required.
 */
export async function runSignatureGroup(group: SignatureGroup): Promise<readonly SignatureOutcome[]> {
  const { key, reason } = await importKey(group);
  const outcomes: SignatureOutcome[] = [];
  for (const { tcId: id, comment, jws, result } of group.tests) {
    const rejection = key ? await rejectionOf(jws, key) : { reason, isByProfile: true };
    const kind = kindOf(rejection, result);
    outcomes.push({ id, comment: `${group.comment}: ${comment}`, kind, reason: rejection?.reason });
  }
  return outcomes;
}

interface Rejection {
  readonly reason: string | undefined;
  /** Whether it is a valid JWS that this server never signs. */
  readonly isByProfile: boolean;
}

function kindOf(rejection: Rejection | undefined, expected: Vector['result']): SignatureOutcome['kind'] {
  if (expected === 'acceptable' || (rejection === undefined) === (expected === 'valid')) return 'agreement';
  if (rejection === undefined) return 'wrong acceptance';
  return rejection.isByProfile ? 'out of scope' : 'wrong rejection';
}

/** The key, or why this server does not have such a key. */
async function importKey(group: SignatureGroup): Promise<{ key?: PublishedKey; reason?: string }> {
  const { public: publicJwk, private: privateJwk } = group;
  const algorithm = signingAlgorithmNames.find((name) => name === privateJwk.alg);
  if (!publicJwk || !algorithm) return { reason: `no key of this server is for ${privateJwk.alg ?? privateJwk.kty}` };
  const parsed = await parseSigningKey(JSON.stringify(privateJwk));
  // Some private keys of the vectors lack the primes, which OpenSSL requires.
  const isIncomplete =
    !parsed.ok && parsed.problems.every((problem) => problem.startsWith('is an RSA key without "p"'));
  // Safe: it has the members of a JWK.
  if (parsed.ok || isIncomplete) return { key: { algorithm, keyId: 'wycheproof', publicJwk: publicJwk as JWK } };
  return { reason: parsed.problems.join('; ') };
}

async function rejectionOf(jws: unknown, key: PublishedKey): Promise<Rejection | undefined> {
  if (typeof jws !== 'string') return { reason: 'is not in compact serialization', isByProfile: false };
  try {
    const [header] = decodeSegments(jws);
    const { alg } = parseObject(header, 'header');
    if (alg === key.algorithm) await verifySignature(jws, key);
    else return { reason: `its alg is ${JSON.stringify(alg)}, and its key is for ${key.algorithm}`, isByProfile: true };
    return undefined;
  } catch (error) {
    if (!(error instanceof AccessTokenError)) throw error;
    return { reason: error.message, isByProfile: await isSignedWithoutText(jws, key) };
  }
}

/** Whether the signature verifies, and the payload is empty or not UTF-8: that of a JWT is JSON (RFC 7519 §7.2). */
async function isSignedWithoutText(jws: string, key: PublishedKey): Promise<boolean> {
  const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url');
  if (payload.length > 0 && isUtf8(payload)) return false;
  return verifySignature(jws, key).then(
    () => true,
    () => false,
  );
}
