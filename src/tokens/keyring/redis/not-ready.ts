import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import { formatKeyTime } from '../key-time.ts';
import { type KeyPhase, keyPhases } from '../lifecycle.ts';
import type { StoredKey, StoredKeyring } from './stored-keyring.ts';
import type { UnsealedKeyring } from './unsealed-keyring.ts';

interface HeldKeyrings {
  readonly keyring: UnsealedKeyring;
  /** The server's own; undefined for that of the keyring. */
  readonly algorithm: SigningAlgorithm | undefined;
  /** The keyring in Redis, if this server cannot unseal that one. */
  readonly unfollowed: StoredKeyring | undefined;
}

/**
 * Why the keys must not sign, or not those of the server's own algorithm; undefined if they can.
 *
 * @param now milliseconds since the epoch
 */
export function notReadyReason({ keyring, algorithm, unfollowed }: HeldKeyrings, now: number): string | undefined {
  const { stored, problem } = keyring;
  if (problem !== undefined) return `no key of the keyring can sign: the private keys are ${problem}`;
  const own = algorithm ?? stored.algorithm;
  const phases = phasesOf(stored, own, now);
  const [first] = phases;
  if (!first)
    return `the keyring has no key for ${own}: run \`countersign keys create --alg ${own}\`, or unset COUNTERSIGN_SIGNING_ALG`;
  const signing = signingKey(phases);
  if (!signing) return describeFirst(own, first.until);
  const theirs = unfollowed && signingKey(phasesOf(unfollowed, own, now));
  if (!theirs || theirs.keyId === signing.keyId) return undefined;
  return `the keyring in Redis, which this server cannot unseal, signs with another key, ${theirs.keyId}`;
}

/** @param signsFrom infinite until a server schedules it */
function describeFirst(algorithm: SigningAlgorithm, signsFrom: number): string {
  const time = formatKeyTime(signsFrom);
  if (time === undefined) return `no key for ${algorithm} has a time from which it signs yet`;
  return `the first key for ${algorithm} signs from ${time}`;
}

function phasesOf({ keys }: StoredKeyring, algorithm: SigningAlgorithm, now: number): readonly KeyPhase<StoredKey>[] {
  const ofAlgorithm = keys.filter((key) => key.algorithm === algorithm);
  return keyPhases(ofAlgorithm, Number.POSITIVE_INFINITY, now);
}

function signingKey(phases: readonly KeyPhase<StoredKey>[]): StoredKey | undefined {
  return phases.find(({ state }) => state === 'signing')?.key;
}
