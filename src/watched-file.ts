import { setTimeout as delay } from 'node:timers/promises';
import { fileErrorReason } from './file-error.ts';
import type { Log } from './observability/log.ts';
import { OperatorError } from './operator-error.ts';
import { filesState, watchFiles } from './watch-files.ts';

/**
 * What is loaded from files while the server runs. Each name labels the metrics of its files, and begins their log
 * events: `clients_reloaded`, `clients_reload_failed`. The value is what stays in use if a reload fails, for messages.
 */
export const watchedFileNames = {
  clients: 'records',
  client_ca: 'CA certificates',
  crls: 'CRLs',
  signing_key: 'key',
  signing_keys: 'keys',
  key_encryption_key: 'key-encryption key',
  tls_certificate: 'certificate and key',
  proxy_secret: 'secrets',
  proxy_ca: 'CA certificates',
  redis_url: 'credentials',
  redis_ca: 'CA certificates',
  redis_certificate: 'certificate and key',
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
  /** Loads the files although they may not have changed. Resolves when that is done or has failed, which is logged. */
  reload(): Promise<void>;
  stop(): void;
}

export interface WatchedValueOptions<Value> {
  readonly name: WatchedFileName;
  readonly paths: readonly string[];
  /** Lists the files of the paths, if a path can be a folder. */
  readonly list?: (() => readonly string[]) | undefined;
  /** The value in use, from the files as they were when `state` was taken. */
  readonly first: Value;
  /** By {@link filesState}. By default the present one. */
  readonly state?: string | undefined;
  /** @throws {Error} with what is wrong and how to fix it; the message never contains a secret */
  readonly load: () => Value | Promise<Value>;
  /** Puts a reloaded value to use, after which `current` is that value. If it throws, the previous one stays. */
  readonly onReloaded?: ((value: Value, previous: Value) => void) | undefined;
  /** For the log: further fields, and what was loaded, as the end of a sentence. Contains no secret. */
  readonly describe: (value: Value, previous: Value) => ReloadDescription;
  /** When the first certificate of a value expires, in milliseconds since the epoch. */
  readonly notAfter?: ((value: Value) => number | undefined) | undefined;
  readonly log: Log;
  /** Between checks of the files. Default: 1,000. */
  readonly intervalMilliseconds?: number | undefined;
}

export interface ReloadDescription {
  readonly fields?: object;
  readonly summary: string;
}

const MAX_LOADS = 5;
const BETWEEN_LOADS_MILLISECONDS = 100;

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
  readonly #list: () => readonly string[];
  readonly #stopWatching: () => void;
  #current: Value;
  #lastLoad: Promise<void> = Promise.resolve();
  /** A reload that has not begun, which will find the files as they are then. */
  #next: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: WatchedValueOptions<Value>) {
    const { name, paths, list = () => paths, first, state, intervalMilliseconds } = options;
    this.name = name;
    this.paths = paths;
    this.#options = options;
    this.#list = list;
    this.#current = first;
    const onChange = () => void this.reload();
    this.#stopWatching = watchFiles({ list, onChange, state, intervalMilliseconds }).stop;
  }

  get current(): Value {
    return this.#current;
  }

  get notAfter(): number | undefined {
    return this.#options.notAfter?.(this.#current);
  }

  reload(): Promise<void> {
    this.#next ??= this.#lastLoad.then(() => {
      this.#next = undefined;
      return this.#loadOrKeep();
    });
    this.#lastLoad = this.#next;
    return this.#next;
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopWatching();
  }

  /** Whatever the error is, the previous value is kept. */
  async #loadOrKeep(): Promise<void> {
    try {
      const value = await this.#loadOneVersion();
      if (!this.#isStopped) this.#use(value);
    } catch (error) {
      if (!this.#isStopped) this.#onFailure(reasonOf(error));
    }
  }

  /** Loads again if the files change meanwhile: some would be from before the change, and some from after it. */
  async #loadOneVersion(): Promise<Value> {
    for (let loads = 1; ; loads += 1) {
      const before = filesState(this.#list);
      const result = await attempt(this.#options.load);
      if (loads < MAX_LOADS && !this.#isStopped && filesState(this.#list) !== before) {
        await delay(BETWEEN_LOADS_MILLISECONDS);
      } else if ('error' in result) throw result.error;
      else return result.value;
    }
  }

  #use(value: Value): void {
    const { name, onReloaded, describe, log, paths } = this.#options;
    const previous = this.#current;
    this.#current = value;
    try {
      onReloaded?.(value, previous);
    } catch (error) {
      this.#current = previous;
      throw error;
    }
    this.loadedAt = Date.now();
    this.problem = undefined;
    const { fields, summary } = describe(value, previous);
    log.info({ event: `${name}_reloaded`, ...fields }, `reloaded ${paths.join(' and ')}: ${summary}`);
  }

  #onFailure(reason: string): void {
    this.failures += 1;
    this.problem = reason;
    const kept = watchedFileNames[this.name];
    const message = `reload failed, the previous ${kept} ${kept.endsWith('s') ? 'stay' : 'stays'} in use: ${reason}`;
    this.#options.log.error({ event: `${this.name}_reload_failed`, reason }, message);
  }
}

type Attempt<Value> = { readonly value: Value } | { readonly error: unknown };

async function attempt<Value>(load: () => Value | Promise<Value>): Promise<Attempt<Value>> {
  try {
    return { value: await load() };
  } catch (error) {
    return { error };
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
