import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { Log } from '../observability/log.ts';
import type { KeyEncryptionKeys } from '../settings/key-encryption-key.ts';
import type { SettingFiles } from '../settings/setting-files.ts';
import type { KeyDirectoryConfig, KeyFileConfig, RedisKeyringConfig } from '../settings/signing-key.ts';
import { openKeyDirectory } from '../tokens/keyring/directory/key-directory.ts';
import { openKeyFile } from '../tokens/keyring/file/key-file.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import { liveKeyring } from '../tokens/keyring/live-keyring.ts';
import type { Sealer } from '../tokens/keyring/redis/sealing.ts';
import { singleKey } from '../tokens/keyring/single-key.ts';
import { withBoundedQueue } from '../tokens/signature-queue.ts';
import { readSigningKey, type SigningKey, SigningKeyError } from '../tokens/signing-key.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { type WatchedFile, WatchedValue } from '../watch/watched-file.ts';
import type { WatchedFiles } from './watched-files.ts';

/** What every source needs. */
interface KeyringOptions {
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  readonly watched: WatchedFiles;
  readonly log: Log;
}

/**
 * Opens the configured keyring.
 *
 * @param store being connected to; undefined without Redis
 * @throws {OperatorError} with every problem
 */
export async function openKeyring(
  { keyring, maxQueueDelay }: Pick<Config, 'keyring' | 'maxQueueDelay'>,
  store: Promise<TokenStore> | undefined,
  watched: WatchedFiles,
  log: Log,
): Promise<Keyring> {
  const options = { maxQueueDelay, watched, log };
  switch (keyring.source) {
    case 'file':
      return openFile(keyring, options);
    case 'directory':
      return openDirectory(keyring, options);
    case 'redis':
      return openFromRedis(keyring, { ...options, store: await requireStore(store) });
  }
}

async function openFile(config: KeyFileConfig, options: KeyringOptions): Promise<Keyring> {
  const { text, files, policy } = config;
  const { maxQueueDelay, watched, log } = options;
  const first = await parseKey(text, config, log);
  if (!files) return singleKey(withBoundedQueue(first, maxQueueDelay));
  const [path = ''] = files.paths;
  const load = async () => {
    const current = files.load((warning) => log.warn({ event: 'setting_warning' }, warning));
    return parseKey(current, config, log);
  };
  const { state } = files;
  const source = openKeyFile({ path, first, state, load, policy, maxQueueDelay, log, now: Date.now });
  watched.add(source.watched);
  return liveKeyring(source, { retention: policy.retention, now: Date.now });
}

async function parseKey(text: string, { algorithm, setting }: KeyFileConfig, log: Log): Promise<SigningKey> {
  const warn = (part: string) => log.warn({ event: 'setting_warning' }, `COUNTERSIGN_${setting}: ${part}`);
  try {
    return await readSigningKey(text, algorithm, warn);
  } catch (error) {
    if (!(error instanceof SigningKeyError)) throw error;
    throw new OperatorError(error.problems.map((problem) => `COUNTERSIGN_${setting}: ${problem}`));
  }
}

async function openDirectory(config: KeyDirectoryConfig, options: KeyringOptions): Promise<Keyring> {
  try {
    const source = await openKeyDirectory({ ...config, ...options, now: Date.now });
    options.watched.add(source.watched);
    return liveKeyring(source, { retention: PUBLISHED_UNTIL_REMOVED, now: Date.now });
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw new OperatorError(error.problems.map((problem) => `COUNTERSIGN_SIGNING_KEYS_DIR: ${problem}`));
  }
}

const PUBLISHED_UNTIL_REMOVED = Number.POSITIVE_INFINITY;

async function requireStore(store: Promise<TokenStore> | undefined): Promise<TokenStore> {
  if (store) return store;
  throw new Error('the settings allow a keyring in Redis only with COUNTERSIGN_REDIS_URL');
}

async function openFromRedis(
  { keyEncryptionKeys, files, algorithm, policy, setting }: RedisKeyringConfig,
  { store, ...options }: KeyringOptions & { readonly store: TokenStore },
): Promise<Keyring> {
  const [{ createSealer }, { openRedisKeyring }] = await Promise.all([
    import('../tokens/keyring/redis/sealing.ts'),
    import('../tokens/keyring/redis/redis-keyring.ts'),
  ]);
  const first = await createSealer(keyEncryptionKeys, setting);
  const source = await openRedisKeyring({ store, sealer: first, policy, algorithm, ...options, now: Date.now });
  const { watched, log } = options;
  const load = async (keys: KeyEncryptionKeys) => {
    const sealer = await createSealer(keys, setting);
    await source.replaceSealer(sealer);
    return sealer;
  };
  if (files) watched.add(watchKeyEncryptionKey(files, first, load, log));
  return liveKeyring(source, { retention: policy.retention, now: Date.now });
}

/** @param use puts other keys to use, or throws */
function watchKeyEncryptionKey(
  { paths, state, load }: SettingFiles<KeyEncryptionKeys>,
  value: Sealer,
  use: (keys: KeyEncryptionKeys) => Promise<Sealer>,
  log: Log,
): WatchedFile {
  return new WatchedValue(
    {
      ...{ name: 'key_encryption_key', paths, log },
      load: () => use(load((warning) => log.warn({ event: 'setting_warning' }, warning))),
      // Names reveal nothing about the keys.
      describe: ({ names }) => ({ fields: { names }, summary: names.join(' and ') }),
      // A name is the thumbprint of its key.
      isSame: (sealer, previous) => isDeepStrictEqual(sealer.names, previous.names),
      // The keyring may be sealed with them later.
      repeats: true,
    },
    { value, state },
  );
}
