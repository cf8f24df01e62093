import { TimeoutError, withTimeout } from './timeout.ts';

/** A load of one key. */
export interface Load<Value> {
  readonly result: Promise<Value>;
  /** The key was invalidated after the load started, so the result may be outdated. */
  isSuperseded: boolean;
  isSettled: boolean;
}

/**
 * Coalesces concurrent loads of one key, and knows whether any of them is overdue. What is loaded is identified by its
 * key; `Source` is what a load needs besides.
 */
export class LoadsInFlight<Value, Source> {
  readonly #byKey = new Map<string, Load<Value>>();
  /** Loads that a caller has given up on and that are still in flight. */
  readonly #overdue = new Set<Load<Value>>();
  readonly #load: (key: string, source: Source, isSuperseded: () => boolean) => Promise<Value>;

  /** @param load loads a key; it stores the result unless the load is superseded by then */
  constructor(load: (key: string, source: Source, isSuperseded: () => boolean) => Promise<Value>) {
    this.#load = load;
  }

  get areOverdue(): boolean {
    return this.#overdue.size > 0;
  }

  /** Joins the load of the key that is in flight, or starts one. */
  start(key: string, source: Source): Load<Value> {
    const running = this.#byKey.get(key);
    if (running) return running;
    const load: Load<Value> = {
      isSuperseded: false,
      isSettled: false,
      result: Promise.resolve().then(() => this.#run(key, source, load)),
    };
    this.#byKey.set(key, load);
    return load;
  }

  /** @throws what the load throws, or {TimeoutError}; the load goes on then */
  async wait(key: string, source: Source, milliseconds: number): Promise<Value> {
    const load = this.start(key, source);
    try {
      return await withTimeout(load.result, milliseconds);
    } catch (error) {
      if (error instanceof TimeoutError && !load.isSettled) this.#overdue.add(load);
      throw error;
    }
  }

  /** Marks the load of a key as outdated; the next one starts afresh. */
  supersede(key: string): void {
    const load = this.#byKey.get(key);
    if (!load) return;
    load.isSuperseded = true;
    this.#byKey.delete(key);
  }

  supersedeAll(): void {
    for (const key of this.#byKey.keys()) this.supersede(key);
  }

  async #run(key: string, source: Source, load: Load<Value>): Promise<Value> {
    try {
      return await this.#load(key, source, () => load.isSuperseded);
    } finally {
      load.isSettled = true;
      this.#overdue.delete(load);
      if (this.#byKey.get(key) === load) this.#byKey.delete(key);
    }
  }
}
