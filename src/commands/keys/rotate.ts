import type { Environment } from '../../settings/settings.ts';
import type { SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';
import { formatKeyTime } from '../../tokens/keyring/key-time.ts';
import { keyPhases } from '../../tokens/keyring/lifecycle.ts';
import { changeKeyring, type KeyringChange } from '../../tokens/keyring/redis/change-keyring.ts';
import { KeyringChangeError, retired, rotated, withoutKey } from '../../tokens/keyring/redis/changes.ts';
import type { StoredKeyring } from '../../tokens/keyring/redis/stored-keyring.ts';
import { printProblem, printWarnings } from '../output/errors.ts';
import type { OutputFormat } from '../output/text.ts';
import { withAuditedKeyring } from './audited-keyring.ts';
import { readRedisLocation } from './keys-config.ts';
import { printChange } from './print-change.ts';
import { verifierCachesText } from './verifier-caches.ts';

interface ChangeKeysOptions {
  /** Remove keys at once, after a compromise. */
  readonly now: boolean;
  readonly output: OutputFormat;
}

export interface RotateOptions extends ChangeKeysOptions {
  /** Default: every algorithm of the keyring. */
  readonly alg?: SigningAlgorithm;
}

/**
 * `countersign keys rotate [--now]`: the next key signs, of each algorithm.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function rotateKeys(env: Environment, { alg, ...options }: RotateOptions): Promise<number> {
  const location = readRedisLocation(env);
  const { retention } = location.policy;
  return changeKeys(env, location, options, (keyring, time) => {
    const signing = keyPhases(keyring.keys, retention, time).filter(({ state }) => state === 'signing');
    const keys = signing.map(({ key }) => key).filter(({ algorithm }) => alg === undefined || algorithm === alg);
    if (keys.length === 0)
      throw new KeyringChangeError(`no key of the keyring signs${alg === undefined ? '' : ` ${alg}`}`);
    return keys.reduce(
      (changed, { keyId, algorithm }) =>
        options.now ? withoutKey(changed, keyId, time) : rotated(changed, algorithm, location.policy, time),
      keyring,
    );
  });
}

/**
 * `countersign keys retire KID [--now]`: a key does not sign any more, or is removed.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function retireKey(env: Environment, keyId: string, options: ChangeKeysOptions): Promise<number> {
  const location = readRedisLocation(env);
  return changeKeys(env, location, options, (keyring, time) =>
    options.now ? withoutKey(keyring, keyId, time) : retired(keyring, keyId, location.policy, time),
  );
}

async function changeKeys(
  env: Environment,
  location: ReturnType<typeof readRedisLocation>,
  { now, output }: ChangeKeysOptions,
  change: (keyring: StoredKeyring, time: number) => StoredKeyring,
): Promise<number> {
  const done = await withAuditedKeyring(env, location, (keyring) => changeKeyring(keyring, change));
  await printChange({ before: done.before.keys, after: done.after.keys, time: done.time }, location.policy, output);
  if (!now) return 0;
  printWarnings(unseenKeys(done, location.policy.publishAhead));
  printProblem(verifierCachesText());
  return 0;
}

/** The keys that sign although some verifiers may not have fetched them yet. */
function unseenKeys({ before, after, time }: KeyringChange, publishAhead: number): string[] {
  const signs = ({ keys }: StoredKeyring) =>
    keyPhases(keys, Number.POSITIVE_INFINITY, time).flatMap(({ key, state }) => (state === 'signing' ? [key] : []));
  const hasSigned = new Set(signs(before).map(({ keyId }) => keyId));
  const unseen = signs(after).filter((key) => !hasSigned.has(key.keyId) && key.publishedAt + publishAhead > time);
  return unseen.map(
    ({ keyId, publishedAt }) =>
      `${keyId} signs, and has been published since ${formatKeyTime(publishedAt)} only: ` +
      'verifiers that have cached the JWKS without it reject its tokens until they fetch it again',
  );
}
