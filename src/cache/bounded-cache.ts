import { LRUCache } from 'lru-cache';

/** An LRU cache that is bounded in entries and bytes. */
export interface BoundedCache<Value extends object> {
  /** Counts as use. */
  get(key: string): Value | undefined;
  /** @param bytes the approximate memory of key and value; a value larger than the whole bound is not stored */
  set(key: string, value: Value, bytes: number): void;
  delete(key: string): void;
  /** Whether the predicate holds for any value; the most recently used one is tested first. */
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
