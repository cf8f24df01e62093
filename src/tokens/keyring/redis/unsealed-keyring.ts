import { createPublicKey, type KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { signingAlgorithms } from '../../algorithms/signing-algorithm.ts';
import { withBoundedQueue } from '../../signature-queue.ts';
import { parseSigningKey, type SigningKey } from '../../signing-key.ts';
import { keyProblems } from '../../signing-key-checks.ts';
import type { KeyringKey } from '../live-keyring.ts';
import { SealError, type Sealer, UnknownKeyEncryptionKeyError } from './sealing.ts';
import { type StoredKey, type StoredKeyring, StoredKeyringError } from './stored-keyring.ts';

/** A version of the keyring whose keys were checked. */
export interface UnsealedKeyring {
  readonly stored: StoredKeyring;
  /** In the order of `stored`; if only some were unsealed, only those. They sign unless there is a problem. */
  readonly keys: readonly KeyringKey[];
  /** Why a private key could not be unsealed: the key-encryption key is another one. */
  readonly problem: string | undefined;
}

interface UnsealOptions {
  readonly sealer: Sealer;
  /** Milliseconds. */
  readonly maxQueueDelay: number;
}

/**
 * Checks the public keys, and unseals the private ones. Unless all of them are sealed with key-encryption keys of this
 * server, and each belongs to its public key, none signs: who can write to Redis could have added the others. Those are not
 * published either, unless no key could be unsealed: then the key-encryption key of this server may be the wrong one.
 *
 * @param previous whose keys stay the same objects
 * @throws {StoredKeyringError} if a key is invalid or damaged
 */
export async function unsealKeyring(
  stored: StoredKeyring,
  options: UnsealOptions,
  previous?: UnsealedKeyring,
): Promise<UnsealedKeyring> {
  const known = knownKeys(previous);
  const open = async (key: StoredKey): Promise<OpenedKey> => {
    const before = known.get(key.keyId);
    if (before && hasSameContent(before.stored, key)) return { key: withTime(before.key, key.signsFrom) };
    const opened = await openKey(key, options);
    const isKnown = before?.key.algorithm === key.algorithm && opened.problem === undefined;
    return before && isKnown ? { key: withTime(before.key, key.signsFrom) } : opened;
  };
  const opened = await Promise.all(stored.keys.map(open));
  const problem = opened.find((key) => key.problem !== undefined)?.problem;
  const keys = genuine(opened).map(({ key }) => (problem === undefined ? key : { ...key, signer: undefined }));
  return { stored, keys, problem };
}

/** One key-encryption key seals all keys. If it is one of ours, a key that is sealed with another one was added without it. */
function genuine(opened: readonly OpenedKey[]): readonly OpenedKey[] {
  const unsealed = opened.filter(({ problem }) => problem === undefined);
  return unsealed.length > 0 ? unsealed : opened;
}

interface KnownKey {
  readonly stored: StoredKey;
  readonly key: KeyringKey;
}

/** Those that were unsealed, by their `kid`. */
function knownKeys(previous: UnsealedKeyring | undefined): ReadonlyMap<string, KnownKey> {
  const known = new Map<string, KnownKey>();
  if (!previous || previous.problem !== undefined) return known;
  for (const [index, stored] of previous.stored.keys.entries()) {
    const key = previous.keys[index];
    if (key) known.set(key.keyId, { stored, key });
  }
  return known;
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
  /** It does not sign if there is a problem. */
  readonly key: KeyringKey;
  readonly problem?: string;
}

async function openKey(stored: StoredKey, { sealer, maxQueueDelay }: UnsealOptions): Promise<OpenedKey> {
  const { keyId, algorithm, signsFrom } = stored;
  const key = { keyId, algorithm, signsFrom, publicJwk: await publishedJwk(stored) };
  try {
    return { key: { ...key, signer: withBoundedQueue(await unsealKey(stored, sealer), maxQueueDelay) } };
  } catch (error) {
    if (error instanceof UnknownKeyEncryptionKeyError)
      return { key: { ...key, signer: undefined }, problem: error.message };
    if (error instanceof SealError) throw new StoredKeyringError(`the private key of ${keyId} is ${error.message}`);
    throw error;
  }
}

async function unsealKey({ keyId, algorithm, sealed }: StoredKey, sealer: Sealer): Promise<SigningKey> {
  const jwk = await sealer.unseal(sealed);
  if (jwk.alg !== algorithm) throw new SealError(`not a key for ${algorithm}`);
  const parsed = await parseSigningKey(JSON.stringify(jwk), { required: algorithm });
  if (!parsed.ok) throw new SealError(`unusable: ${parsed.problems.join('; ')}`);
  if (parsed.key.keyId === keyId) return parsed.key;
  throw new SealError('the one of another key');
}

/**
 * The public key as the JWKS contains it, whatever other members are stored.
 *
 * @throws {StoredKeyringError}
 */
export async function publishedJwk({ keyId, algorithm, publicJwk }: StoredKey): Promise<JWK> {
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
