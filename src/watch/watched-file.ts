import { fileErrorReason } from '../errors/file-error.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { Log } from '../observability/log.ts';
import { type LoadedValue, LoadFailure, type LoadOptions, listOf, loadOneVersion } from './load-files.ts';
import { ReloadQueue } from './reload-queue.ts';
import { filesState, INTERVAL_MILLISECONDS, watchFiles } from './watch-files.ts';

/**
 * What is loaded from files while the server runs. Each name labels the metrics of its files, and begins their log
 * events: `clients_reloaded`, `clients_reload_failed`. The value is what stays in use if a reload fails.
 */
export const watchedFileNames = {
  clients: 'records stay',
  client_ca: 'CA certificates stay',
  crls: 'CRLs stay',
  signing_key: 'key stays',
  signing_keys: 'keys stay',
  key_encryption_key: 'key-encryption key stays',
  tls_certificate: 'certificate and key stay',
  proxy_secret: 'secrets stay',
  proxy_ca: 'CA certificates stay',
  redis_url: 'credentials stay',
  redis_ca: 'CA certificates stay',
  redis_certificate: 'certificate and key stay',
} as const;

export type WatchedFileName = keyof typeof watchedFileNames;

/** Files that are loaded again when they change: what an operator has to know about them, and the reload. */
export interface WatchedFile {
  readonly name: WatchedFileName;
  /** As configured: files, or a folder of them. */
  readonly paths: readonly string[];
  /** When what is in use was loaded, in milliseconds since the epoch. */
  readonly loadedAt: number;
  /** Failed reloads since the start. A reload that is repeated and fails for the same reason is not counted again. */
  readonly failures: number;
  /** Why what is in the files is not in use, but what was loaded before; undefined if it is in use. */
  readonly problem: string | undefined;
  /** When the first certificate in use expires, in milliseconds since the epoch; undefined if the files contain none. */
  readonly notAfter: number | undefined;
  /** The same on every replica that uses the same content. Undefined for secrets. */
  readonly digest: string | undefined;
  /** Loads the files although they may not have changed. Resolves when that is done or has failed. */
  reload(): Promise<ReloadResult>;
  /** Resolves when the last load has ended. What it loads is not used. */
  stop(): Promise<void>;
}

/** What a reload has done to the value in use. A change and a failure are logged. */
export type ReloadResult = 'changed' | 'unchanged' | 'failed';

export interface WatchedValueOptions<Value> extends LoadOptions<Value> {
  readonly name: WatchedFileName;
  /** Puts a reloaded value to use, after which `current` is that value. If it throws, the previous one stays. */
  readonly onReloaded?: ((value: Value, previous: Value) => void) | undefined;
  /** For the log. Contains no secret. */
  readonly describe: (value: Value, previous: Value) => ReloadDescription;
  /** Logs further lines. */
  readonly logDetails?: ((value: Value, previous: Value) => void) | undefined;
  /** Whether a reload has changed nothing, and need not be logged. */
  readonly isSame: (value: Value, previous: Value) => boolean;
  /** When the first certificate of a value expires, in milliseconds since the epoch. */
  readonly notAfter?: ((value: Value) => number | undefined) | undefined;
  /** Identifies the content of a value, in hexadecimal. */
  readonly digest?: ((value: Value) => string) | undefined;
  /** Whether a failed reload is repeated, since its cause may pass although no file changes, such as the time. */
  readonly repeats?: boolean;
  readonly log: Log;
}

interface ReloadDescription {
  readonly fields?: object;
  /** What was loaded, as the end of a sentence. */
  readonly summary: string;
}

/** A failed reload is repeated after this many intervals. */
const REPEAT_INTERVALS = 10;

/**
 * Loads a value for the first time, and watches its files.
 *
 * @throws what `load` throws
 */
export async function openWatchedValue<Value>(options: WatchedValueOptions<Value>): Promise<WatchedValue<Value>> {
  const loaded = await loadOneVersion(options, undefined, new AbortController().signal).catch((error: unknown) => {
    throw error instanceof LoadFailure ? error.cause : error;
  });
  return new WatchedValue(options, loaded);
}

/**
 * A value from files, swapped as a whole when they change. If they are missing or invalid, the previous value stays in
 * use and the problem is logged. One load runs after the other.
 */
export class WatchedValue<Value> implements WatchedFile {
  readonly name: WatchedFileName;
  readonly paths: readonly string[];
  loadedAt = Date.now();
  failures = 0;
  problem: string | undefined;
  readonly #options: WatchedValueOptions<Value>;
  readonly #stopWatching: () => void;
  readonly #stopping = new AbortController();
  readonly #loads = new ReloadQueue(() => this.#loadOrKeep());
  #current: Value;
  /** Of the files when they were loaded last, successfully or not. */
  #state: string;
  #repetition: NodeJS.Timeout | undefined;

  constructor(options: WatchedValueOptions<Value>, { value, state }: LoadedValue<Value>) {
    const { name, paths, intervalMilliseconds } = options;
    this.name = name;
    this.paths = paths;
    this.#options = options;
    this.#current = value;
    this.#state = state;
    const onChange = () => void this.refresh();
    const watch = watchFiles({ list: listOf(options), onChange, state, intervalMilliseconds });
    this.#stopWatching = watch.stop;
  }

  get current(): Value {
    return this.#current;
  }

  get notAfter(): number | undefined {
    return this.#options.notAfter?.(this.#current);
  }

  get digest(): string | undefined {
    return this.#options.digest?.(this.#current);
  }

  reload(): Promise<ReloadResult> {
    return this.#loads.reload();
  }

  /** Loads the files if they have changed since they were loaded last, so that another file can depend on them. */
  refresh(): Promise<void> {
    return this.#loads.add(() => this.#loadIfChanged());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopWatching();
    clearTimeout(this.#repetition);
    await this.#loads.last;
  }

  /** The last load may have found the change. */
  async #loadIfChanged(): Promise<void> {
    if (filesState(listOf(this.#options)) !== this.#state) await this.#loadOrKeep();
  }

  /** Whatever the error is, the previous value is kept. */
  async #loadOrKeep(isRepetition = false): Promise<ReloadResult> {
    const { signal } = this.#stopping;
    clearTimeout(this.#repetition);
    try {
      const { value, state } = await loadOneVersion(this.#options, this.#current, signal);
      if (signal.aborted) return 'unchanged';
      this.#state = state;
      return this.#use(value);
    } catch (error) {
      if (signal.aborted) return 'unchanged';
      if (error instanceof LoadFailure) this.#state = error.state;
      this.#onFailure(reasonOf(error instanceof LoadFailure ? error.cause : error), isRepetition);
      return 'failed';
    }
  }

  #use(value: Value): ReloadResult {
    const { name, onReloaded, isSame, describe, logDetails, log, paths } = this.#options;
    const [previous, isRestored] = [this.#current, this.problem !== undefined];
    this.#current = value;
    try {
      onReloaded?.(value, previous);
    } catch (error) {
      this.#current = previous;
      throw error;
    }
    this.loadedAt = Date.now();
    this.problem = undefined;
    if (!isRestored && isSame(value, previous)) return 'unchanged';
    const { fields, summary } = describe(value, previous);
    log.info({ event: `${name}_reloaded`, ...fields }, `reloaded ${paths.join(' and ')}: ${summary}`);
    logDetails?.(value, previous);
    return 'changed';
  }

  #onFailure(reason: string, isRepetition: boolean): void {
    const { name, log, repeats, intervalMilliseconds = INTERVAL_MILLISECONDS } = this.#options;
    if (!isRepetition || reason !== this.problem) {
      this.failures += 1;
      const message = `reload failed, the previous ${watchedFileNames[name]} active: ${reason}`;
      log.error({ event: `${name}_reload_failed`, reason }, message);
    }
    this.problem = reason;
    if (!repeats) return;
    const repeat = () => void this.#loads.add(() => this.#loadOrKeep(true));
    this.#repetition = setTimeout(repeat, REPEAT_INTERVALS * intervalMilliseconds).unref();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof OperatorError ? firstProblems(error.problems) : fileErrorReason(error);
}

/** A file may have thousands of problems. */
const MAX_LOGGED_PROBLEMS = 20;

function firstProblems(problems: readonly string[]): string {
  const more = problems.length - MAX_LOGGED_PROBLEMS;
  return problems.slice(0, MAX_LOGGED_PROBLEMS).join('; ') + (more > 0 ? `; and ${more} more` : '');
}
