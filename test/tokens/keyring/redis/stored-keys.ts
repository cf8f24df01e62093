import type { SigningAlgorithm } from '../../../../src/tokens/algorithms/signing-algorithm.ts';
import type { RotationPolicy } from '../../../../src/tokens/keyring/key-policy.ts';
import { createdKeyring, maintained, missingNextKeys } from '../../../../src/tokens/keyring/redis/changes.ts';
import type { SealedKey, StoredKeyring } from '../../../../src/tokens/keyring/redis/stored-keyring.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const START = Date.UTC(2026, 10, 1);

/** The defaults of the server. */
export const policy: RotationPolicy = {
  publishAhead: DAY,
  rotation: 30 * DAY,
  retention: DAY + 5 * MINUTE,
  clockTolerance: 5 * MINUTE,
};

let count = 0;

/** A key for tests of times: it cannot be unsealed. */
export function sealedKey(algorithm: SigningAlgorithm = 'ES256'): SealedKey {
  count++;
  return { keyId: `${algorithm}-${count}`, algorithm, publicJwk: { kty: 'EC' }, sealed: 'eyJ9..a.b.c' };
}

/** Publishes the missing next keys, as a server does. */
export function maintain(keyring: StoredKeyring, now: number, settings: RotationPolicy = policy): StoredKeyring {
  const fresh = missingNextKeys(keyring, now).map((algorithm) => sealedKey(algorithm));
  return maintained(keyring, fresh, settings, now);
}

/** A keyring of one algorithm that was created at {@link START}. */
export function newKeyring(algorithm: SigningAlgorithm = 'ES256', settings: RotationPolicy = policy): StoredKeyring {
  return maintain(createdKeyring('id', sealedKey(algorithm), START), START, settings);
}
