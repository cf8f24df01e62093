import type { Log } from '../observability/log.ts';
import { callEvery } from '../shared-timer.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';

const INTERVAL_MILLISECONDS = 1_000;

/**
 * Logs when another key begins to sign. It polls, since keys begin at a time at which nothing else happens.
 *
 * @returns what stops it
 */
export function watchSigningKeys(
  keyring: Pick<Keyring, 'phases'>,
  log: Log,
  intervalMilliseconds = INTERVAL_MILLISECONDS,
): () => void {
  let last = signingKeys(keyring);
  const check = () => {
    const current = signingKeys(keyring);
    for (const [alg, kid] of current) if (last.get(alg) !== kid) logChange(log, alg, kid, last.get(alg));
    last = current;
  };
  return callEvery(intervalMilliseconds, check);
}

/** The `kid` of the key that signs each algorithm. */
function signingKeys({ phases }: Pick<Keyring, 'phases'>): ReadonlyMap<string, string> {
  const signing = phases.filter(({ state }) => state === 'signing');
  return new Map(signing.map(({ key }) => [key.algorithm, key.keyId]));
}

function logChange(log: Log, alg: string, kid: string, previous: string | undefined): void {
  const instead = previous === undefined ? '' : ` in place of ${previous}`;
  log.info(
    { event: 'signing_key_changed', alg, kid, previous_kid: previous ?? null },
    `key ${kid} signs ${alg}${instead}`,
  );
}
