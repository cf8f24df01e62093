import type { Log } from '../observability/log.ts';
import { OperatorError } from '../operator-error.ts';
import type { SigningKeyConfig } from '../settings/signing-key.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import { singleKey } from '../tokens/keyring/single-key.ts';
import { withBoundedQueue } from '../tokens/signature-queue.ts';
import { readSigningKey, SigningKeyError } from '../tokens/signing-key.ts';

interface KeyringConfig {
  readonly signingKey: SigningKeyConfig;
  /** Milliseconds. */
  readonly maxQueueDelay: number;
}

/**
 * Opens the configured keyring.
 *
 * @throws {OperatorError} with every problem
 */
export async function openKeyring(
  { signingKey: { text, algorithm, setting }, maxQueueDelay }: KeyringConfig,
  log: Log,
): Promise<Keyring> {
  const warn = (part: string) => log.warn({ event: 'setting_warning' }, `COUNTERSIGN_${setting}: ${part}`);
  try {
    return singleKey(withBoundedQueue(await readSigningKey(text, algorithm, warn), maxQueueDelay));
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error;
    throw new OperatorError([`COUNTERSIGN_${setting}: ${error.message}`]);
  }
}
