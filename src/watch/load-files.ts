import { setTimeout as delay } from 'node:timers/promises';
import { filesState, INTERVAL_MILLISECONDS } from './watch-files.ts';

/** How a value is loaded from files. */
export interface LoadOptions<Value> {
  readonly paths: readonly string[];
  /** Lists the files of the paths, if a path can be a folder. */
  readonly list?: (() => readonly string[]) | undefined;
  /**
   * @param previous undefined on startup
   * @throws {Error} with what is wrong and how to fix it; the message never contains a secret
   */
  readonly load: (previous: Value | undefined, stopping: AbortSignal) => Value | Promise<Value>;
  /** Between checks of the files. Default: 1,000. */
  readonly intervalMilliseconds?: number | undefined;
}

/** A value, and the state of its files by {@link filesState} from before it was loaded. */
export interface LoadedValue<Value> {
  readonly value: Value;
  readonly state: string;
}

/** Files that change all the time are loaded as they are after this many loads. */
const MAX_LOADS = 20;

/** Which files could not be loaded, by their state. The cause is the error. */
export class LoadFailure extends Error {
  override readonly name = 'LoadFailure';
  readonly state: string;

  constructor(state: string, cause: unknown) {
    super('files could not be loaded', { cause });
    this.state = state;
  }
}

/** Lists the files to load. */
export function listOf<Value>({ paths, list = () => paths }: LoadOptions<Value>): () => readonly string[] {
  return list;
}

/**
 * Loads again if the files change meanwhile: some would be from before the change, and some from after it.
 *
 * @throws {LoadFailure}
 */
export async function loadOneVersion<Value>(
  options: LoadOptions<Value>,
  previous: Value | undefined,
  stopping: AbortSignal,
): Promise<LoadedValue<Value>> {
  const { load, intervalMilliseconds = INTERVAL_MILLISECONDS } = options;
  for (let loads = 1; ; loads += 1) {
    const state = filesState(listOf(options));
    const result = await attempt(async () => load(previous, stopping));
    stopping.throwIfAborted();
    if (loads < MAX_LOADS && filesState(listOf(options)) !== state) {
      await delay(intervalMilliseconds / 2, undefined, { signal: stopping });
    } else if ('error' in result) throw new LoadFailure(state, result.error);
    else return { value: result.value, state };
  }
}

type Attempt<Value> = { readonly value: Value } | { readonly error: unknown };

async function attempt<Value>(run: () => Promise<Value>): Promise<Attempt<Value>> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error };
  }
}
