import { join } from 'node:path';
import type { Log } from '../../../observability/log.ts';
import { openWatchedValue, type WatchedFile } from '../../../watch/watched-file.ts';
import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import { withBoundedQueue } from '../../signature-queue.ts';
import type { KeyPolicy } from '../key-policy.ts';
import type { KeyringSource } from '../live-keyring.ts';
import { isSameKey } from './key-changes.ts';
import { describeChange, describeKeys, logKeys } from './key-directory-log.ts';
import { loadKeyDirectory } from './load-key-directory.ts';
import { type DirectoryKey, listKeyFiles } from './read-key-directory.ts';

export interface KeyDirectoryOptions {
  readonly path: string;
  /** The server's own; undefined for that of the key that was the last to begin signing. */
  readonly algorithm: SigningAlgorithm | undefined;
  /** For warnings: the keys of a directory are published until they are removed. */
  readonly policy: KeyPolicy;
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Between checks of the files. Default: 1,000. */
  readonly intervalMilliseconds?: number | undefined;
}

/** The keys of a directory, and the watch of its files. */
export interface KeyDirectorySource extends KeyringSource {
  readonly watched: WatchedFile;
}

/**
 * Reads the keys of a directory, and reloads them when its files change. The directory is the truth: every key in it is
 * published, and signs from the time in the name of its file. A version with any problem is rejected as a whole: the
 * problems are logged, and the previous keys stay in use.
 *
 * @throws {OperatorError} with every problem, if there is one at startup
 */
export async function openKeyDirectory(options: KeyDirectoryOptions): Promise<KeyDirectorySource> {
  const { path, algorithm, log, now, intervalMilliseconds } = options;
  const empty: Version = { keys: [], algorithm, warnings: [] };
  const watched = await openWatchedValue<Version>({
    name: 'signing_keys',
    paths: [path],
    list: () => listKeyFiles(path).map((name) => join(path, name)),
    load: async (previous = empty) => {
      const { keys, warnings } = await loadKeyDirectory(options, now());
      return nextVersion(previous, keys, warnings, options.maxQueueDelay);
    },
    describe: describeChange,
    logDetails: (version, previous) => logKeys(previous.keys, version.keys, version.warnings, options),
    isSame: (version, previous) => version === previous,
    repeats: true,
    log,
    intervalMilliseconds,
  });
  const first = watched.current;
  logKeys([], first.keys, first.warnings, options);
  return {
    description: describeKeys(first.keys, options),
    current: () => watched.current,
    notReadyReason: undefined,
    watched,
    close: () => watched.stop(),
  };
}

/** Never modified. */
interface Version {
  readonly keys: readonly DirectoryKey[];
  readonly algorithm: SigningAlgorithm | undefined;
  /** What is not read. */
  readonly warnings: readonly string[];
}

/** The same version if no key has changed. A key that stays is the same object. */
function nextVersion(
  previous: Version,
  keys: readonly DirectoryKey[],
  warnings: readonly string[],
  maxQueueDelay: number,
): Version {
  const next = keys.map(
    (key) =>
      previous.keys.find((known) => isUnchanged(known, key)) ?? {
        ...key,
        signer: withBoundedQueue(key.signer, maxQueueDelay),
      },
  );
  const isSame = next.length === previous.keys.length && next.every((key, index) => key === previous.keys[index]);
  return isSame ? previous : { ...previous, keys: next, warnings };
}

function isUnchanged(known: DirectoryKey, key: DirectoryKey): boolean {
  return isSameKey(known, key) && known.file === key.file && known.signsFrom === key.signsFrom;
}
