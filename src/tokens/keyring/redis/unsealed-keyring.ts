import { createPublicKey, type KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { signingAlgorithms } from '../../algorithms/signing-algorithm.ts';
import { withBoundedQueue } from '../../signature-queue.ts';
import { readSigningKey, type SigningKey, SigningKeyError } from '../../signing-key.ts';
import { keyProblems } from '../../signing-key-checks.ts';
import type { KeyringKey } from '../live-keyring.ts';
import { SealError, type Sealer, UnknownKeyEncryptionKeyError } from './sealing.ts';
import { type StoredKey, type StoredKeyring, StoredKeyringError } from './stored-keyring.ts';

/** A version of the keyring whose keys were checked. */
export interface UnsealedKeyring {
  readonly stored: StoredKeyring;
  /** In the order of `stored`. They sign unless there is a problem. */
  readonly keys: readonly KeyringKey[];
  /** Why no private key could be unsealed: the key-encryption key is another one. */
  readonly problem: string | undefined;
}

interface UnsealOptions {
  readonly sealer: Sealer;
  /** Milliseconds. */
  readonly maxQueueDelay: number;
}

/**
 * Checks the public keys, and unseals the private ones. Unless all of them are sealed with key-encryption keys of this
 * server, and each belongs to its public key, none signs: who can write to Redis could have added the others.
 *
 * @param previous whose keys stay the same objects
 * @throws {StoredKeyringError} if a key is invalid or damaged
 */
export async function unsealKeyring(
  stored: StoredKeyring,
  options: UnsealOptions,
  previous?: UnsealedKeyring,
): Promise<UnsealedKeyring> {
  const known = new Map(previous?.stored.keys.map((key, index) => [key.keyId, { key, opened: previous.keys[index] }]));
  const opened = await Promise.all(
    stored.keys.map(async (key) => {
      const before = known.get(key.keyId);
      const isUnchanged = before?.opened?.signer && hasSameContent(before.key, key);
      if (before?.opened && isUnchanged) return { key: withTime(before.opened, key.signsFrom), problem: undefined };
      const { signer, problem, publicJwk } = await openKey(key, options);
      const isKnown = before?.opened?.signer && signer && before.opened.algorithm === key.algorithm;
      if (before?.opened && isKnown) return { key: withTime(before.opened, key.signsFrom), problem };
      const { keyId, algorithm, signsFrom } = key;
      return { key: { keyId, algorithm, publicJwk, signsFrom, signer }, problem };
    }),
  );
  const problem = opened.find((key) => key.problem !== undefined)?.problem;
  const keys = opened.map(({ key }) => (problem === undefined ? key : { ...key, signer: undefined }));
  return { stored, keys, problem };
}

function hasSameContent(one: StoredKey, other: StoredKey): boolean {
  return (
    one.sealed === other.sealed &&
    one.algorithm === other.algorithm &&
    isDeepStrictEqual(one.publicJwk, other.publicJwk)
  );
}

function withTime(key: KeyringKey, signsFrom: number): KeyringKey {
  return key.signsFrom === signsFrom ? key : { ...key, signsFrom };
}

interface OpenedKey {
  readonly signer: SigningKey | undefined;
  readonly problem: string | undefined;
  readonly publicJwk: JWK;
}

async function openKey(key: StoredKey, { sealer, maxQueueDelay }: UnsealOptions): Promise<OpenedKey> {
  const publicJwk = await publishedJwk(key);
  try {
    const signer = await unsealKey(key, sealer);
    return { signer: withBoundedQueue(signer, maxQueueDelay), problem: undefined, publicJwk };
  } catch (error) {
    if (error instanceof UnknownKeyEncryptionKeyError) return { signer: undefined, problem: error.message, publicJwk };
    if (error instanceof SealError || error instanceof SigningKeyError)
      throw new StoredKeyringError(`the private key of ${key.keyId} is invalid: ${error.message}`);
    throw error;
  }
}

async function unsealKey({ keyId, algorithm, sealed }: StoredKey, sealer: Sealer): Promise<SigningKey> {
  const jwk = await sealer.unseal(sealed);
  if (jwk.alg !== algorithm) throw new SealError(`it is not a key for ${algorithm}`);
  const key = await readSigningKey(JSON.stringify(jwk), algorithm);
  if (key.keyId === keyId) return key;
  throw new SealError('it does not belong to the public key');
}

/** The public key as the JWKS contains it, whatever other members are stored. */
async function publishedJwk({ keyId, algorithm, publicJwk }: StoredKey): Promise<JWK> {
  const invalid = (problem: string) => new StoredKeyringError(`the public key of ${keyId} ${problem}`);
  if (['d', 'k', 'priv'].some((member) => member in publicJwk)) throw invalid('contains a private key');
  const key = parsePublicKey(publicJwk);
  if (!key) throw invalid('is not a valid JWK');
  if (!signingAlgorithms[algorithm].suits(key)) throw invalid(`is not a key for ${algorithm}`);
  const [problem] = keyProblems(key);
  if (problem !== undefined) throw invalid(problem);
  // Safe: Node names the members as RFC 7518 §6, RFC 8037 §2 and RFC 9964 §4 do.
  const members = key.export({ format: 'jwk' }) as JWK;
  if ((await calculateJwkThumbprint(members)) !== keyId) throw invalid('has another thumbprint');
  return { ...members, use: 'sig', alg: algorithm, kid: keyId };
}

function parsePublicKey(jwk: JWK): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}
