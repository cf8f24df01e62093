import { createHash, randomUUID } from 'node:crypto';
import { openLease } from '../../redis/commands/lease.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { type CrlCache, CrlCacheError, digestOf } from './crl-cache.ts';

const LIFETIME_SECONDS = 30 * 24 * 3600;
/** Longer than a fetch can take. */
const LOCK_MILLISECONDS = 60_000;

/**
 * A cache in Redis: the hash `{prefix}crl:{SHA-256 of the URL}` with `content`, `digest` and `fetched_at`, and a lock
 * beside it. Its content is not trusted: the signature of every CRL is verified, and older CRLs never replace newer ones.
 *
 * @param connection no command is sent while it has a problem: it may be in the wrong database
 * @param onRefused called with the reason when Redis refuses a command, but not when it is unreachable
 */
export function createRedisCrlCache(
  connection: RedisConnection,
  keyPrefix: string,
  onRefused: (reason: string) => void,
): CrlCache {
  const { redis, explain } = connection;
  const keyOf = (url: string) => `${keyPrefix}crl:${createHash('sha256').update(url).digest('hex')}`;
  const attempt = async <Value>(command: () => Promise<Value>): Promise<Value> => {
    if (connection.problem !== undefined) throw new CrlCacheError(connection.problem);
    return command().catch((error: Error) => {
      const reason = explain(error);
      if (error.name === 'ReplyError') onRefused(reason);
      throw new CrlCacheError(reason);
    });
  };
  return {
    find: async (url) => {
      const [fetchedAt, digest] = await attempt(() => redis.hmget(keyOf(url), 'fetched_at', 'digest'));
      return fetchedAt && digest ? { fetchedAt: Number(fetchedAt), digest } : undefined;
    },
    content: async (url) => (await attempt(() => redis.hgetBuffer(keyOf(url), 'content'))) ?? undefined,
    store: async (url, content, fetchedAt) => {
      const fields = { content: Buffer.from(content), digest: digestOf(content), fetched_at: fetchedAt };
      const transaction = () => redis.multi().hset(keyOf(url), fields).expire(keyOf(url), LIFETIME_SECONDS).exec();
      await attempt(() => transaction().then(requireSuccess));
    },
    withLock: async (url, run) => {
      const [lease, owner] = [openLease(redis, `${keyOf(url)}:lock`, LOCK_MILLISECONDS), randomUUID()];
      if ((await attempt(() => lease.acquire(owner))) !== undefined) return;
      try {
        await run();
      } finally {
        // If Redis is unreachable by now, the lease ends by itself.
        await attempt(() => lease.release(owner)).catch(() => {});
      }
    },
    close: () => connection.close(),
  };
}

/** A transaction resolves even if one of its commands failed, for example because the memory of Redis is full. */
function requireSuccess(replies: readonly (readonly [error: Error | null, reply: unknown])[] | null): void {
  const failed = replies?.find(([error]) => error !== null);
  if (failed?.[0]) throw failed[0];
}
