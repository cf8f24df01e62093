import { randomBytes } from 'node:crypto';
import type { Log } from '../../../../src/observability/log.ts';
import { openTimedValue, type TimedValueStore } from '../../../../src/redis/commands/timed-value.ts';
import { parseRedisUrl } from '../../../../src/redis/url.ts';
import { openTokenStore } from '../../../../src/service/token-store.ts';
import type { SigningAlgorithm } from '../../../../src/tokens/algorithms/signing-algorithm.ts';
import type { RotationPolicy } from '../../../../src/tokens/keyring/key-policy.ts';
import type { Keyring } from '../../../../src/tokens/keyring/keyring.ts';
import { liveKeyring } from '../../../../src/tokens/keyring/live-keyring.ts';
import type { ChangeOptions } from '../../../../src/tokens/keyring/redis/change-keyring.ts';
import { openRedisKeyring } from '../../../../src/tokens/keyring/redis/redis-keyring.ts';
import { createSealer } from '../../../../src/tokens/keyring/redis/sealing.ts';
import type { AnnouncedKeys } from '../../../../src/tokens/token-store.ts';
import { policy } from './stored-keys.ts';

/** The keyring of one server, and its log. */
export interface KeyringServer {
  readonly keyring: Keyring;
  readonly log: readonly LogEntry[];
  /** How often an event was logged. */
  readonly count: (event: string) => number;
  /** As when the file with the key-encryption keys changes. */
  readonly replaceKeys: (keys: readonly [Uint8Array, ...Uint8Array[]]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface LogEntry {
  readonly event: string;
  readonly reason?: string;
  readonly message: string;
}

export const keyEncryptionKey = randomBytes(32);

export interface ServerOptions {
  readonly prefix: string;
  readonly keys?: readonly [Uint8Array, ...Uint8Array[]];
  readonly settings?: RotationPolicy;
  readonly algorithm?: SigningAlgorithm;
  /** By how many milliseconds its clock is fast. */
  readonly clock?: () => number;
  /** Default: nothing announces changes. */
  readonly announced?: AnnouncedKeys;
}

/** Opens the keyring as a server does. */
export async function startServer(url: string, options: ServerOptions): Promise<KeyringServer> {
  const { prefix, keys = [keyEncryptionKey], settings = policy, algorithm, clock = () => 0, announced } = options;
  const log: LogEntry[] = [];
  // Every event has a name.
  const append = (fields: object, message: string) => void log.push({ ...(fields as { event: string }), message });
  const collector: Log = { info: append, warn: append, error: append };
  const store = await openTokenStore({ address: parseRedisUrl(url), tls: {}, keyPrefix: prefix }, announced);
  const now = () => Date.now() + clock();
  const source = await openRedisKeyring({
    store,
    sealer: await createSealer(keys, 'KEY_ENCRYPTION_KEY_FILE'),
    policy: settings,
    algorithm,
    maxQueueDelay: 60_000,
    log: collector,
    now,
    // As a server does, but ten times as often.
    pollInterval: 50,
  });
  const keyring = liveKeyring(source, { retention: settings.retention, now });
  return {
    keyring,
    log,
    count: (event) => log.filter((entry) => entry.event === event).length,
    replaceKeys: async (others) => source.replaceSealer(await createSealer(others, 'KEY_ENCRYPTION_KEY_FILE')),
    stop: async () => {
      await keyring.close();
      store.connection.close();
    },
  };
}

/** What a command works with. */
export async function changeOptions(
  redis: Parameters<typeof openTimedValue>[0],
  prefix: string,
  { keys = [keyEncryptionKey], settings = policy }: Partial<ServerOptions> = {},
): Promise<ChangeOptions & { readonly store: TimedValueStore }> {
  const sealer = await createSealer(keys, 'KEY_ENCRYPTION_KEY_FILE');
  return { store: openTimedValue(redis, `${prefix}keyring`), sealer, policy: settings, verify: () => {} };
}
