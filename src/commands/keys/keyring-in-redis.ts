import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import { openTimedValue, type TimedValue } from '../../redis/commands/timed-value.ts';
import type { RedisLocation } from '../../settings/keys-location.ts';
import type { RedisConfig } from '../../settings/redis.ts';
import { UnavailableAlgorithmError } from '../../tokens/generate-key.ts';
import type { ScheduledKey } from '../../tokens/keyring/lifecycle.ts';
import type { ChangeOptions } from '../../tokens/keyring/redis/change-keyring.ts';
import { KeyringChangeError, NoKeyringError } from '../../tokens/keyring/redis/changes.ts';
import { createSealer } from '../../tokens/keyring/redis/sealing.ts';
import { parseKeyring, type StoredKeyring, StoredKeyringError } from '../../tokens/keyring/redis/stored-keyring.ts';
import { publishedJwk, unsealKeyring } from '../../tokens/keyring/redis/unsealed-keyring.ts';
import type { PublishedKey } from '../../tokens/published-key.ts';
import { connectToRedis } from '../connect-to-redis.ts';
import { printWarnings } from '../output/errors.ts';

/** Less than the time after which a value that was computed from the clock of Redis is refused. */
const COMMAND_TIMEOUT_MILLISECONDS = 5_000;
const MAX_CLOCK_DIFFERENCE = 5 * 60_000;

/**
 * Connects to Redis for a command that changes the keyring, and disconnects after it.
 *
 * @throws {OperatorError} with every problem
 */
export async function withKeyringInRedis<Result>(
  { redis, keyEncryptionKeys, setting, policy }: RedisLocation,
  change: (options: ChangeOptions) => Promise<Result>,
): Promise<Result> {
  if (!keyEncryptionKeys) throw new ConfigurationError([NO_KEY_ENCRYPTION_KEY]);
  const sealer = await createSealer(keyEncryptionKeys, setting);
  return withValue(redis, (store) =>
    change({ store, sealer, policy, verify: (keyring) => requireUnsealed(keyring, { sealer }) }),
  );
}

const NO_KEY_ENCRYPTION_KEY =
  'COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: is missing: set it to the file with the key that seals the private keys, ' +
  'as for the servers';

/** As a server does: a key that does not belong to the keyring would be written again. */
async function requireUnsealed(
  keyring: StoredKeyring,
  options: Pick<Parameters<typeof unsealKeyring>[1], 'sealer'>,
): Promise<void> {
  const { problem } = await unsealKeyring(keyring, { ...options, maxQueueDelay: Number.POSITIVE_INFINITY });
  if (problem !== undefined) throw new KeyringChangeError(`the private keys are ${problem}`);
}

/**
 * Reads the public keys of the keyring.
 *
 * @throws {OperatorError} with every problem
 */
export async function readKeyringInRedis(redis: RedisConfig): Promise<readonly (ScheduledKey & PublishedKey)[]> {
  return withValue(redis, async (store) => {
    const { keys } = await readStored(store);
    const readKey = async (key: (typeof keys)[number]) => ({ ...key, publicJwk: await publishedJwk(key) });
    return Promise.all(keys.map(readKey));
  });
}

/**
 * Reads the keyring and unseals its keys, as a server does.
 *
 * @returns how many keys it has
 * @throws {OperatorError} with every problem
 */
export async function checkKeyringInRedis(location: RedisLocation): Promise<number> {
  return withKeyringInRedis(location, async ({ store, sealer }) => {
    const keyring = await readStored(store);
    await requireUnsealed(keyring, { sealer });
    return keyring.keys.length;
  });
}

async function readStored(store: Pick<ReturnType<typeof openTimedValue>, 'read'>): Promise<StoredKeyring> {
  const { value } = await store.read();
  if (value.type === 'none') throw new NoKeyringError();
  if (value.type === 'other') throw new StoredKeyringError(`it is a ${value.name}, not a string`);
  return parseKeyring(value.text);
}

async function withValue<Result>(
  redis: RedisConfig,
  use: (store: ReturnType<typeof openTimedValue>) => Promise<Result>,
): Promise<Result> {
  const key = `${redis.keyPrefix}keyring`;
  const options = { commandTimeoutMilliseconds: COMMAND_TIMEOUT_MILLISECONDS };
  const connection = await connectToRedis(redis, options);
  const { description } = redis.address;
  try {
    const store = openTimedValue(connection.redis, key);
    return await use({ ...store, read: async () => warnAboutClock(await store.read()) });
  } catch (error) {
    throw toOperatorError(error, `${key} in Redis at ${description}`, connection.explain);
  } finally {
    connection.close();
  }
}

function toOperatorError(error: unknown, place: string, explain: (error: Error) => string): unknown {
  if (error instanceof StoredKeyringError || error instanceof NoKeyringError)
    return new OperatorError([`${place}: ${error.message}`]);
  if (error instanceof KeyringChangeError || error instanceof UnavailableAlgorithmError)
    return new OperatorError([error.message]);
  if (!(error instanceof Error) || error instanceof OperatorError) return error;
  // What remains are errors of Redis, and of ioredis.
  return new OperatorError([`${place}: ${explain(error)}`]);
}

function warnAboutClock(read: TimedValue): TimedValue {
  const seconds = Math.round(Math.abs(read.time - Date.now()) / 1_000);
  if (seconds * 1_000 <= MAX_CLOCK_DIFFERENCE) return read;
  printWarnings([
    `the clocks of Redis and of this machine differ by ${seconds} s: keys are scheduled by that of Redis`,
  ]);
  return read;
}
