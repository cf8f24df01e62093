import { createHash, randomUUID } from 'node:crypto';
import { openLease } from '../../redis/commands/lease.ts';
import type { RedisConnection } from '../../redis/connection.ts';

/** Metadata of the content last fetched from a URL, by any replica. */
interface CachedCrl {
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number;
  /** SHA-256 of the content, hex. */
  readonly digest: string;
}

/** Fetched CRLs, shared between replicas so that only one of them fetches from the CA. */
export interface CrlCache {
  find(url: string): Promise<CachedCrl | undefined>;
  content(url: string): Promise<Uint8Array | undefined>;
  store(url: string, content: Uint8Array, fetchedAt: number): Promise<void>;
  /** Runs the function unless another replica holds the lock for this URL. */
  withLock(url: string, run: () => Promise<void>): Promise<void>;
  close(): void;
}

const LIFETIME_SECONDS = 30 * 24 * 3600;
/** Longer than a fetch can take. */
const LOCK_MILLISECONDS = 60_000;

/**
 * A cache in Redis: the hash `{prefix}crl:{SHA-256 of the URL}` with `content`, `digest` and `fetched_at`, and a lock
 * beside it. Its content is not trusted: the signature of every CRL is verified, and older CRLs never replace newer ones.
 */
export function createRedisCrlCache(connection: Pick<RedisConnection, 'redis' | 'close'>, keyPrefix: string): CrlCache {
  const { redis } = connection;
  const keyOf = (url: string) => `${keyPrefix}crl:${createHash('sha256').update(url).digest('hex')}`;
  return {
    find: async (url) => {
      const [fetchedAt, digest] = await redis.hmget(keyOf(url), 'fetched_at', 'digest');
      return fetchedAt && digest ? { fetchedAt: Number(fetchedAt), digest } : undefined;
    },
    content: async (url) => (await redis.hgetBuffer(keyOf(url), 'content')) ?? undefined,
    store: async (url, content, fetchedAt) => {
      const fields = { content: Buffer.from(content), digest: digestOf(content), fetched_at: fetchedAt };
      await redis.multi().hset(keyOf(url), fields).expire(keyOf(url), LIFETIME_SECONDS).exec();
    },
    withLock: async (url, run) => {
      const [lease, owner] = [openLease(redis, `${keyOf(url)}:lock`, LOCK_MILLISECONDS), randomUUID()];
      if ((await lease.acquire(owner)) !== undefined) return;
      try {
        await run();
      } finally {
        // If Redis is unreachable by now, the lease ends by itself.
        await lease.release(owner).catch(() => {});
      }
    },
    close: () => connection.close(),
  };
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

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
