import { NearCache, type NearCacheOptions } from '../../cache/near-cache.ts';
import { loadRecord, type RecordSource, type StoredRecord } from './load-record.ts';
import { lookupFailed } from './lookup-failed.ts';

/** How values of Redis are cached. */
export type Caching = Omit<NearCacheOptions<unknown>, 'load'>;

/** The records of one kind in Redis, cached until Redis reports a change. */
export class RecordCache<Value> {
  readonly cache: NearCache<StoredRecord<Value>>;
  /** Of the key of a record; its name follows. */
  readonly prefix: string;

  constructor(source: RecordSource<Value>, caching: Caching) {
    this.prefix = source.prefix;
    this.cache = new NearCache({ ...caching, load: (name, _, previous) => loadRecord(name, source, previous) });
  }

  /**
   * @returns a promise unless the record is cached
   * @throws {OAuthError} temporarily_unavailable if the lookup fails
   */
  find(name: string): StoredRecord<Value> | Promise<StoredRecord<Value>> {
    return this.cache.findCached(name) ?? this.#load(name);
  }

  async #load(name: string): Promise<StoredRecord<Value>> {
    try {
      return await this.cache.find(name);
    } catch (error) {
      throw lookupFailed(`${this.prefix}${name}`, error);
    }
  }
}

/** @returns the record itself, undefined if there is none */
export function requireValid<Value>(
  stored: StoredRecord<Value>,
  invalid: (reason: string) => Error,
): Value | undefined {
  if (stored.kind === 'invalid') throw invalid(stored.reason);
  return stored.kind === 'record' ? stored.record : undefined;
}

/** The results of several lookups. Creates no promises if all of them are cached. */
export function all<Value extends object>(
  values: readonly (Value | Promise<Value>)[],
): readonly Value[] | Promise<Value[]> {
  const isAvailable = (value: Value | Promise<Value>): value is Value => !(value instanceof Promise);
  return values.every(isAvailable) ? values : Promise.all(values);
}
