import { join } from 'node:path';
import type { Log } from '../../../observability/log.ts';
import { OperatorError } from '../../../operator-error.ts';
import { watchFiles } from '../../../watch-files.ts';
import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import { withBoundedQueue } from '../../signature-queue.ts';
import type { KeyPolicy } from '../key-policy.ts';
import type { KeyringSource } from '../live-keyring.ts';
import { isSameKey } from './key-changes.ts';
import { describeKeys, logLoaded, logReloadFailed } from './key-directory-log.ts';
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

/**
 * Reads the keys of a directory, and reloads them when its files change. The directory is the truth: every key in it is
 * published, and signs from the time in the name of its file. A version with any problem is rejected as a whole: the
 * problems are logged, and the previous keys stay in use.
 *
 * @throws {OperatorError} with every problem, if there is one at startup
 */
export async function openKeyDirectory(options: KeyDirectoryOptions): Promise<KeyringSource> {
  const { path, intervalMilliseconds = INTERVAL_MILLISECONDS } = options;
  const directory = new LoadedDirectory(options);
  const list = () => listKeyFiles(path).map((name) => join(path, name));
  // Watched before they are read: a change in between would otherwise be missed.
  const watch = watchFiles({ list, onChange: () => directory.reload(), intervalMilliseconds });
  const close = () => {
    watch.stop();
    return directory.close();
  };
  try {
    await directory.open();
  } catch (error) {
    await close();
    throw error;
  }
  const description = describeKeys(directory.version.keys, options);
  return { description, current: () => directory.version, notReadyReason: undefined, close };
}

/** Never modified. */
interface Version {
  readonly keys: readonly DirectoryKey[];
  readonly algorithm: SigningAlgorithm | undefined;
}

const INTERVAL_MILLISECONDS = 1_000;
/** A failed reload is repeated: its cause may pass although no file changes, such as the time of a key. */
const RETRY_INTERVALS = 10;

/** The keys in use. One load runs after the other. */
class LoadedDirectory {
  readonly #options: KeyDirectoryOptions;
  #version: Version;
  #lastLoad: Promise<void> = Promise.resolve();
  /** Why the last load failed. */
  #failure: string | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: KeyDirectoryOptions) {
    this.#options = options;
    this.#version = { keys: [], algorithm: options.algorithm };
  }

  get version(): Version {
    return this.#version;
  }

  /** @throws {OperatorError} with every problem */
  open(): Promise<void> {
    const opening = this.#load();
    this.#lastLoad = opening.catch(() => {});
    return opening;
  }

  reload(): void {
    this.#lastLoad = this.#lastLoad.then(() => this.#loadOrKeep());
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#lastLoad;
    clearTimeout(this.#retry);
  }

  async #load(): Promise<void> {
    const { now, maxQueueDelay } = this.#options;
    const { keys, warnings } = await loadKeyDirectory(this.#options, now());
    const next = nextVersion(this.#version, keys, maxQueueDelay);
    const isRestored = this.#failure !== undefined;
    if (next !== this.#version || isRestored) logLoaded(this.#version.keys, next.keys, warnings, this.#options);
    this.#version = next;
    this.#failure = undefined;
  }

  /** Whatever the error is, the previous keys are kept. */
  async #loadOrKeep(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      await this.#load();
    } catch (error) {
      const failure = error instanceof OperatorError ? error.problems.join('; ') : String(error);
      if (failure !== this.#failure) logReloadFailed(failure, this.#options);
      this.#failure = failure;
      const { intervalMilliseconds = INTERVAL_MILLISECONDS } = this.#options;
      this.#retry = setTimeout(() => this.reload(), RETRY_INTERVALS * intervalMilliseconds).unref();
    }
  }
}

/** The same version if no key has changed. A key that stays is the same object. */
function nextVersion(previous: Version, keys: readonly DirectoryKey[], maxQueueDelay: number): Version {
  const next = keys.map(
    (key) =>
      previous.keys.find((known) => isUnchanged(known, key)) ?? {
        ...key,
        signer: withBoundedQueue(key.signer, maxQueueDelay),
      },
  );
  const isSame = next.length === previous.keys.length && next.every((key, index) => key === previous.keys[index]);
  return isSame ? previous : { ...previous, keys: next };
}

function isUnchanged(known: DirectoryKey, key: DirectoryKey): boolean {
  return isSameKey(known, key) && known.file === key.file && known.signsFrom === key.signsFrom;
}
