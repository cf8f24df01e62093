import type { Config } from '../config.ts';
import type { Log } from '../observability/log.ts';
import { OperatorError } from '../operator-error.ts';
import type { KeyDirectoryConfig, KeyFileConfig, RedisKeyringConfig } from '../settings/signing-key.ts';
import { openKeyDirectory } from '../tokens/keyring/directory/key-directory.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import { liveKeyring } from '../tokens/keyring/live-keyring.ts';
import { singleKey } from '../tokens/keyring/single-key.ts';
import { withBoundedQueue } from '../tokens/signature-queue.ts';
import { readSigningKey, SigningKeyError } from '../tokens/signing-key.ts';

/** What every source needs. */
interface KeyringOptions {
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  readonly log: Log;
}

/**
 * Opens the configured keyring.
 *
 * @throws {OperatorError} with every problem
 */
export async function openKeyring(
  { keyring, maxQueueDelay }: Pick<Config, 'keyring' | 'maxQueueDelay'>,
  log: Log,
): Promise<Keyring> {
  const options = { maxQueueDelay, log };
  switch (keyring.source) {
    case 'file':
      return openKeyFile(keyring, options);
    case 'directory':
      return openDirectory(keyring, options);
    case 'redis':
      return openRedisKeyring(keyring, options);
  }
}

async function openKeyFile(
  { text, algorithm, setting }: KeyFileConfig,
  { maxQueueDelay, log }: KeyringOptions,
): Promise<Keyring> {
  const warn = (part: string) => log.warn({ event: 'setting_warning' }, `COUNTERSIGN_${setting}: ${part}`);
  try {
    return singleKey(withBoundedQueue(await readSigningKey(text, algorithm, warn), maxQueueDelay));
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error;
    throw new OperatorError([`COUNTERSIGN_${setting}: ${error.message}`]);
  }
}

async function openDirectory(config: KeyDirectoryConfig, options: KeyringOptions): Promise<Keyring> {
  try {
    const source = await openKeyDirectory({ ...config, ...options, now: Date.now });
    return liveKeyring(source, { retention: PUBLISHED_UNTIL_REMOVED, now: Date.now });
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw new OperatorError(error.problems.map((problem) => `COUNTERSIGN_SIGNING_KEYS_DIR: ${problem}`));
  }
}

const PUBLISHED_UNTIL_REMOVED = Number.POSITIVE_INFINITY;

async function openRedisKeyring({ setting }: RedisKeyringConfig, _options: KeyringOptions): Promise<Keyring> {
  throw new OperatorError([`COUNTERSIGN_${setting}: is not supported yet: set COUNTERSIGN_SIGNING_KEY_FILE`]);
}
