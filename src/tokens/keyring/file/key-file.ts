import { OperatorError } from '../../../errors/operator-error.ts';
import type { Log } from '../../../observability/log.ts';
import { WatchedValue } from '../../../watch/watched-file.ts';
import { withBoundedQueue } from '../../signature-queue.ts';
import type { SigningKey } from '../../signing-key.ts';
import type { KeyPolicy } from '../key-policy.ts';
import { formatKeyTime } from '../key-time.ts';
import type { KeyringSource, KeyringVersion } from '../live-keyring.ts';
import { adoptKey, keyringKey } from './adopt-key.ts';

export interface KeyFileOptions {
  readonly path: string;
  /** The key of the file, and the state of the file from before it was read, by `filesState`. */
  readonly first: SigningKey;
  readonly state: string;
  /** @throws {Error} that begins with the setting */
  readonly load: () => Promise<SigningKey>;
  readonly policy: KeyPolicy;
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Between checks of the file. Default: 1,000. */
  readonly intervalMilliseconds?: number | undefined;
}

/** The keys that a file has contained since the server started, and the watch of the file. */
export interface KeyFileSource extends KeyringSource {
  readonly watched: WatchedValue<KeyringVersion>;
}

/**
 * Follows a file with one key. When the server starts, that key signs. One that replaces it is published at once and
 * signs later, and the key before it stays published as long as its tokens are valid.
 */
export function openKeyFile(options: KeyFileOptions): KeyFileSource {
  const { path, first, state, policy, maxQueueDelay, log, now, intervalMilliseconds } = options;
  const { algorithm } = first;
  const signer = withBoundedQueue(first, maxQueueDelay);
  const value: KeyringVersion = { algorithm, keys: [keyringKey(signer, Number.NEGATIVE_INFINITY)] };
  const load = async (previous: KeyringVersion = value): Promise<KeyringVersion> => {
    const key = await options.load();
    requireAlgorithm(path, key, algorithm);
    const keys = adoptKey(previous.keys, withBoundedQueue(key, maxQueueDelay), policy, now());
    return keys === previous.keys ? previous : { algorithm, keys };
  };
  const watched = new WatchedValue(
    {
      ...{ name: 'signing_key', paths: [path], load, log, intervalMilliseconds },
      describe: ({ keys }) => describeLast(keys),
      isSame: (version, previous) => version === previous,
    },
    { value, state },
  );
  return {
    description: `${algorithm} ${first.keyId}`,
    current: () => watched.current,
    notReadyReason: undefined,
    watched,
    close: () => watched.stop(),
  };
}

/** Resources and verifiers rely on the algorithm of the tokens. */
function requireAlgorithm(path: string, key: SigningKey, algorithm: string): void {
  if (key.algorithm === algorithm) return;
  const fix = 'to change the algorithm, use a directory of keys or the keyring in Redis, or restart the server';
  throw new OperatorError([`${path} contains a key for ${key.algorithm}, and the server signs ${algorithm}: ${fix}`]);
}

function describeLast(keys: KeyringVersion['keys']) {
  const { keyId: kid, algorithm: alg, signsFrom } = keys.at(-1) ?? {};
  const time = signsFrom === undefined ? undefined : formatKeyTime(signsFrom);
  const fields = { kid, alg, signs_from: time ?? null };
  return { fields, summary: `key ${kid} is published, and signs ${time === undefined ? 'now' : `from ${time}`}` };
}
