import type { SigningAlgorithm } from '../algorithms/signing-algorithm.ts';

/** What the lifecycle of a key depends on. */
export interface ScheduledKey {
  readonly keyId: string;
  readonly algorithm: SigningAlgorithm;
  /** Milliseconds since the epoch; infinite if the key is published but no rotation is scheduled. */
  readonly signsFrom: number;
}

/**
 * A key is published before it signs (`next`), signs until another key of its algorithm does (`signing`), and stays
 * published until every token that it signed has expired (`retired`). Then it is to be removed (`expired`).
 */
export type KeyState = 'next' | 'signing' | 'retired' | 'expired';

export interface KeyPhase<Key> {
  readonly key: Key;
  readonly state: KeyState;
  /** When the state ends, in milliseconds since the epoch; infinite if nothing ends it yet. */
  readonly until: number;
}

/**
 * The state of each key, a pure function of the keys and the time: replicas with the same keys agree. Keys of different
 * algorithms do not affect each other. Of two keys that begin at the same time, the later one in the list signs.
 *
 * @param retention milliseconds for which a key stays published after it has signed its last token
 * @param now milliseconds since the epoch
 */
export function keyPhases<Key extends ScheduledKey>(
  keys: readonly Key[],
  retention: number,
  now: number,
): readonly KeyPhase<Key>[] {
  const inOrder = keys.toSorted((one, other) => compare(one.signsFrom, other.signsFrom));
  return keys.map((key) => {
    const successors = inOrder.slice(inOrder.indexOf(key) + 1);
    const successor = successors.find(({ algorithm }) => algorithm === key.algorithm);
    return { key, ...phaseOf(key.signsFrom, successor?.signsFrom ?? Number.POSITIVE_INFINITY, retention, now) };
  });
}

/** Infinite times are equal, and their difference is not a number. */
function compare(one: number, other: number): number {
  return one === other ? 0 : one - other;
}

function phaseOf(signsFrom: number, signsUntil: number, retention: number, now: number): Omit<KeyPhase<never>, 'key'> {
  if (now < signsFrom || signsFrom === Number.POSITIVE_INFINITY) return { state: 'next', until: signsFrom };
  if (now < signsUntil) return { state: 'signing', until: signsUntil };
  const retainedUntil = signsUntil + retention;
  if (now < retainedUntil) return { state: 'retired', until: retainedUntil };
  return { state: 'expired', until: Number.POSITIVE_INFINITY };
}
