import type { RedisLocation } from '../../settings/keys-location.ts';
import type { Environment } from '../../settings/settings.ts';
import type { SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';
import { createKeyring } from '../../tokens/keyring/redis/change-keyring.ts';
import type { OutputFormat } from '../output/text.ts';
import { withAuditedKeyring } from './audited-keyring.ts';
import { printChange } from './print-change.ts';
import { readKeyFile } from './read-key-file.ts';

interface CreateInRedisOptions {
  /** The file of an existing key, which becomes the first one. Default: a new key. */
  readonly key?: string | undefined;
  readonly alg?: SigningAlgorithm;
  readonly output: OutputFormat;
}

/**
 * `countersign keys create` in Redis: creates the keyring or, with `--alg`, adds an algorithm to it.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function createKeyInRedis(
  env: Environment,
  location: RedisLocation,
  options: CreateInRedisOptions,
): Promise<number> {
  const { alg } = options;
  const existing = options.key === undefined ? undefined : await readKeyFile(options.key, { alg, ...location });
  const first = existing?.algorithm ?? alg ?? location.algorithm ?? 'ES256';
  const { before, after, time } = await withAuditedKeyring(env, location, (keyring) =>
    createKeyring(keyring, { algorithm: alg, first, privateKey: existing?.privateKey }),
  );
  await printChange({ before: before?.keys ?? [], after: after.keys, time }, location.policy, options.output);
  return 0;
}
