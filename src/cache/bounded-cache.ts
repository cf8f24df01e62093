import { LRUCache } from 'lru-cache';

/** Remembers what was used last, within bounds of entries and bytes; beyond them the one not used for longest goes. */
export interface BoundedCache<Value extends object> {
  /** Looking counts as use. */
  get(key: string): Value | undefined;
  /** @param bytes about how much memory key and value take; one that is larger than the whole bound is not kept */
  set(key: string, value: Value, bytes: number): void;
  delete(key: string): void;
  /** Whether there is any for which it holds, the one used last first. */
  some(predicate: (value: Value) => boolean): boolean;
  readonly entries: number;
  readonly bytes: number;
}

export interface Bounds {
  readonly entries: number;
  readonly bytes: number;
}

export function createBoundedCache<Value extends object>(bounds: Bounds): BoundedCache<Value> {
  const cache = new LRUCache<string, Value>({ max: bounds.entries, maxSize: bounds.bytes });
  return {
    get: (key) => cache.get(key),
    set: (key, value, bytes) => void cache.set(key, value, { size: Math.max(1, Math.ceil(bytes)) }),
    delete: (key) => void cache.delete(key),
    some: (predicate) => {
      for (const value of cache.values()) if (predicate(value)) return true;
      return false;
    },
    get entries() {
      return cache.size;
    },
    get bytes() {
      return cache.calculatedSize;
    },
  };
}
