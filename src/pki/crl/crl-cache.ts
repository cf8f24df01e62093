import { createHash } from 'node:crypto';

/** Metadata of the content last fetched from a URL, by any replica. */
interface CachedCrl {
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number;
  /** SHA-256 of the content, hex. */
  readonly digest: string;
}

/** Fetched CRLs, shared between replicas so that only one of them fetches from the CA. */
export interface CrlCache {
  /** @throws {CrlCacheError} like all of these functions, if the cache cannot be used */
  find(url: string): Promise<CachedCrl | undefined>;
  content(url: string): Promise<Uint8Array | undefined>;
  store(url: string, content: Uint8Array, fetchedAt: number): Promise<void>;
  /** Runs the function unless another replica holds the lock for this URL. */
  withLock(url: string, run: () => Promise<void>): Promise<void>;
  close(): void;
}

/** The cache cannot be used: each replica then fetches for itself. */
export class CrlCacheError extends Error {
  override readonly name = 'CrlCacheError';
}

/** A cache for one replica. It keeps content only until the first read, since CRLs are large and have no other reader. */
export function createLocalCrlCache(): CrlCache {
  const cached = new Map<string, CachedCrl>();
  const contents = new Map<string, Uint8Array>();
  return {
    find: async (url) => cached.get(url),
    content: async (url) => {
      const content = contents.get(url);
      contents.delete(url);
      return content;
    },
    store: async (url, content, fetchedAt) => {
      contents.set(url, content);
      cached.set(url, { digest: digestOf(content), fetchedAt });
    },
    withLock: (_, run) => run(),
    close: () => {},
  };
}

/** SHA-256, hex. */
export function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
