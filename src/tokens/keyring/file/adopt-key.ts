import type { SigningKey } from '../../signing-key.ts';
import type { KeyPolicy } from '../key-policy.ts';
import { keyPhases } from '../lifecycle.ts';
import type { KeyringKey } from '../live-keyring.ts';

/**
 * The keys once the file contains this one. A new key is published first, and signs when verifiers have had the time to
 * fetch it; the one before it stays published until its tokens have expired. A key that is still published, as when the
 * file is restored, signs at once. One that has not signed yet is dropped.
 *
 * @param keys in the order in which they sign; the last one is that of the file
 * @param now milliseconds since the epoch
 * @returns the same array if the file contains the same key
 */
export function adoptKey(
  keys: readonly KeyringKey[],
  signer: SigningKey,
  { retention, publishAhead }: KeyPolicy,
  now: number,
): readonly KeyringKey[] {
  const { keyId } = signer;
  if (keys.at(-1)?.keyId === keyId) return keys;
  const phases = keyPhases(keys, retention, now);
  const begun = phases.filter(({ state }) => state === 'signing' || state === 'retired');
  const known = begun.find(({ key }) => key.keyId === keyId);
  const others = begun.filter((phase) => phase !== known).map(({ key }) => key);
  if (!known) return [...others, keyringKey(signer, now + publishAhead)];
  return [...others, known.state === 'signing' ? known.key : { ...known.key, signsFrom: now }];
}

/** @param signsFrom milliseconds since the epoch */
export function keyringKey(signer: SigningKey, signsFrom: number): KeyringKey {
  const { keyId, algorithm, publicJwk } = signer;
  return { keyId, algorithm, publicJwk, signsFrom, signer };
}
