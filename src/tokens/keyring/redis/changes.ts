import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import { CLOCK_TOLERANCE_MILLISECONDS, type RotationPolicy } from '../key-policy.ts';
import { formatKeyTime } from '../key-time.ts';
import { type KeyPhase, keyPhases } from '../lifecycle.ts';
import type { SealedKey, StoredKey, StoredKeyring } from './stored-keyring.ts';

/** A change is impossible at the moment. The message states why, and what to do. */
export class KeyringChangeError extends Error {
  override readonly name = 'KeyringChangeError';
}

/** The place, such as the key prefix, may be the wrong one. */
export class NoKeyringError extends KeyringChangeError {
  constructor() {
    super('there is no keyring: run `countersign keys create`');
  }
}

/**
 * What an emergency adds to the version. After a failover that lost changes, a server may hold a version that is a little
 * higher than the restored one: it must not undo a removal that was made since.
 */
const EMERGENCY_VERSIONS = 1_000;

/**
 * The first key of a keyring signs at once, also on servers whose clocks are slow: no verifier has cached a JWKS without
 * it, since there was none, or since the key is an existing one.
 */
export function createdKeyring(id: string, key: SealedKey, now: number): StoredKeyring {
  const first = { ...key, publishedAt: now, signsFrom: now - CLOCK_TOLERANCE_MILLISECONDS };
  return { id, createdAt: now, version: 1, algorithm: key.algorithm, keys: [first] };
}

/**
 * Adds the first key of a further algorithm. It signs once it has been published for long enough, even an existing one:
 * the verifiers of this keyring may not know it.
 *
 * @throws {KeyringChangeError} if the algorithm has keys, or the key is that of another algorithm
 */
export function withAlgorithm(
  keyring: StoredKeyring,
  key: SealedKey,
  { publishAhead }: RotationPolicy,
  now: number,
): StoredKeyring {
  if (keyring.keys.some(({ algorithm }) => algorithm === key.algorithm))
    throw new KeyringChangeError(`the keyring has keys for ${key.algorithm}: rotate them with \`keys rotate\``);
  // The kid, a thumbprint, is the same for EdDSA and Ed25519, and for the algorithms of RSA.
  const same = keyring.keys.find(({ keyId }) => keyId === key.keyId);
  if (same)
    throw new KeyringChangeError(`the keyring has this key, ${key.keyId}, for ${same.algorithm}: use another one`);
  return changed(keyring, [...keyring.keys, { ...key, publishedAt: now, signsFrom: now + publishAhead }]);
}

/**
 * The algorithms whose next key is missing. If no key of an algorithm signs yet, the first one does not count.
 *
 * @param now milliseconds since the epoch
 */
export function missingNextKeys({ keys }: StoredKeyring, now: number): readonly SigningAlgorithm[] {
  const algorithms = [...new Set(keys.map(({ algorithm }) => algorithm))];
  return algorithms.filter((algorithm) => {
    const ofAlgorithm = keys.filter((key) => key.algorithm === algorithm);
    const begun = ofAlgorithm.filter(({ signsFrom }) => signsFrom <= now).length;
    return ofAlgorithm.length - begun < (begun === 0 ? 2 : 1);
  });
}

/**
 * Publishes next keys that are missing. No rotation to them is scheduled yet.
 *
 * @param fresh a key for each of the algorithms that `missingNextKeys` returns; others are ignored
 */
export function withNextKeys(keyring: StoredKeyring, fresh: readonly SealedKey[], now: number): StoredKeyring {
  const missing = missingNextKeys(keyring, now);
  const added = fresh
    .filter(({ algorithm }) => missing.includes(algorithm))
    .map((key) => ({ ...key, publishedAt: now, signsFrom: Number.POSITIVE_INFINITY }));
  return added.length === 0 ? keyring : changed(keyring, [...keyring.keys, ...added]);
}

/**
 * What time makes necessary: publishes the missing next keys, removes keys that have expired, and schedules the next
 * rotations. Returns the same keyring if it is up to date.
 *
 * @param fresh as in {@link withNextKeys}
 */
export function maintained(
  keyring: StoredKeyring,
  fresh: readonly SealedKey[],
  policy: RotationPolicy,
  now: number,
): StoredKeyring {
  const complete = withNextKeys(keyring, fresh, now);
  const kept = keyPhases(complete.keys, policy.retention, now).filter(({ state }) => state !== 'expired');
  const keys = scheduled(
    kept.map(({ key }) => key),
    policy,
    now,
  );
  const isSame = keys.length === complete.keys.length && keys.every((key, index) => key === complete.keys[index]);
  return isSame ? complete : changed(complete, keys);
}

/** Only the first of the next keys of an algorithm has a time. */
function scheduled(keys: readonly StoredKey[], policy: RotationPolicy, now: number): readonly StoredKey[] {
  const phases = keyPhases(keys, policy.retention, now);
  return phases.map(({ key, state }) => {
    // A server whose clock is fast may sign with it already.
    if (state !== 'next' || key.signsFrom <= now + policy.clockTolerance) return key;
    const ofAlgorithm = phases.filter((phase) => phase.key.algorithm === key.algorithm);
    const signsFrom = isFirstNext(key, ofAlgorithm)
      ? nextTransition(key, signingKeyOf(ofAlgorithm), policy, now)
      : Number.POSITIVE_INFINITY;
    return signsFrom === key.signsFrom ? key : { ...key, signsFrom };
  });
}

function isFirstNext(key: StoredKey, ofAlgorithm: readonly KeyPhase<StoredKey>[]): boolean {
  return ofAlgorithm.find(({ state }) => state === 'next')?.key === key;
}

function signingKeyOf(phases: readonly KeyPhase<StoredKey>[]): StoredKey | undefined {
  return phases.find(({ state }) => state === 'signing')?.key;
}

/**
 * At the earliest after the time by which clocks may differ: a server whose clock is fast would otherwise have signed later
 * with the key before it, and that key would be removed before its last tokens expire.
 */
function nextTransition(
  next: StoredKey,
  signing: StoredKey | undefined,
  { publishAhead, rotation = Number.POSITIVE_INFINITY, clockTolerance }: RotationPolicy,
  now: number,
): number {
  const published = next.publishedAt + publishAhead;
  return Math.max(signing ? signing.signsFrom + rotation : published, published, now + clockTolerance);
}

/**
 * The next key of an algorithm signs soon: from a time that the clock of no server has passed yet.
 *
 * @throws {KeyringChangeError} if it has not been published for long enough
 */
export function rotated(
  keyring: StoredKeyring,
  algorithm: SigningAlgorithm,
  { publishAhead, retention, clockTolerance }: RotationPolicy,
  now: number,
): StoredKeyring {
  const phases = keyPhases(keyring.keys, retention, now).filter(({ key }) => key.algorithm === algorithm);
  const next = phases.find(({ state }) => state === 'next')?.key;
  if (!next) throw new KeyringChangeError(`the keyring has no next key for ${algorithm}`);
  const readyAt = next.publishedAt + publishAhead;
  if (readyAt > now) {
    const published = `the next key for ${algorithm}, ${next.keyId}, has been published since ${timeOf(next.publishedAt)}`;
    throw new KeyringChangeError(
      `${published}: it can sign from ${timeOf(readyAt)}, when verifiers have it (COUNTERSIGN_KEY_PUBLISH_AHEAD). If the signing key has leaked, add --now`,
    );
  }
  const signsFrom = now + clockTolerance;
  if (next.signsFrom <= signsFrom) return keyring;
  return changed(
    keyring,
    keyring.keys.map((key) => (key === next ? { ...key, signsFrom } : key)),
  );
}

/**
 * A key is withdrawn at once: it is no longer published, and its tokens are rejected. If it signs, the next key does from
 * now on, however long that has been published.
 *
 * @throws {KeyringChangeError} if the keyring does not have the key, or no other that can sign
 */
export function withoutKey(keyring: StoredKeyring, keyId: string, now: number): StoredKeyring {
  const removed = requireKey(keyring, keyId);
  const others = keyring.keys.filter((key) => key !== removed);
  if (removed.signsFrom > now) return changed(keyring, others, EMERGENCY_VERSIONS);
  const later = others.filter((key) => key.algorithm === removed.algorithm && key.signsFrom >= removed.signsFrom);
  const earliest = Math.min(...later.map((key) => key.signsFrom));
  const successor = later.find((key) => key.signsFrom === earliest);
  if (!successor) throw new KeyringChangeError(`the keyring has no next key for ${removed.algorithm}`);
  // It also takes the place of the removed key on servers whose clocks are slow.
  const signsFrom = Math.min(successor.signsFrom, Math.max(removed.signsFrom, now - CLOCK_TOLERANCE_MILLISECONDS));
  const keys = others.map((key) => (key === successor ? { ...key, signsFrom } : key));
  return changed(keyring, keys, EMERGENCY_VERSIONS);
}

/**
 * A key does not sign any more. If it signs now, the next key replaces it as `rotated` does, and it stays published until
 * its tokens have expired. If it has not signed yet, it is removed.
 *
 * @throws {KeyringChangeError} if it is retired already, if the next key has not been published for long enough, or if it
 *   may have begun to sign on some servers only
 */
export function retired(keyring: StoredKeyring, keyId: string, policy: RotationPolicy, now: number): StoredKeyring {
  const key = requireKey(keyring, keyId);
  const phase = keyPhases(keyring.keys, policy.retention, now).find((each) => each.key === key);
  if (phase?.state === 'next' && key.signsFrom <= now + policy.clockTolerance) {
    const early = 'a server whose clock is fast may sign with it already, and its tokens would be rejected';
    const fix = 'Retire it after that. If it has leaked, add --now';
    throw new KeyringChangeError(`${keyId} signs from ${timeOf(key.signsFrom)}: ${early}. ${fix}`);
  }
  if (phase?.state === 'next') return withoutKey(keyring, keyId, now);
  if (phase?.state === 'signing') return rotated(keyring, key.algorithm, policy, now);
  throw new KeyringChangeError(`${keyId} is retired already, and stays published until its tokens have expired`);
}

function requireKey({ keys }: StoredKeyring, keyId: string): StoredKey {
  const found = keys.find((key) => key.keyId === keyId);
  if (found) return found;
  throw new KeyringChangeError('the keyring has no key with this kid: run `countersign keys list`');
}

/** @param sealed the private keys, sealed anew, by their `kid` */
export function resealed(keyring: StoredKeyring, sealed: ReadonlyMap<string, string>): StoredKeyring {
  if (sealed.size === 0) return keyring;
  return changed(
    keyring,
    keyring.keys.map((key) => ({ ...key, sealed: sealed.get(key.keyId) ?? key.sealed })),
  );
}

function changed(keyring: StoredKeyring, keys: readonly StoredKey[], versions = 1): StoredKeyring {
  return { ...keyring, version: keyring.version + versions, keys };
}

/** In whole seconds, rounded up, so that what begins then has begun. */
function timeOf(milliseconds: number): string | undefined {
  return formatKeyTime(Math.ceil(milliseconds / 1_000) * 1_000);
}
