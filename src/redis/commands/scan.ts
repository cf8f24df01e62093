import { Cluster, type Redis } from 'ioredis';

const SCAN_COUNT = 1_000;

/**
 * Walks over all keys that begin with `prefix`, on every master of a cluster. What is written meanwhile may be missing,
 * and so may the keys of a slot that moves; any key may come twice (see SCAN).
 *
 * @param pattern what follows the prefix, with the globs of Redis
 */
export async function* scanKeys(redis: Redis | Cluster, prefix: string, pattern = '*'): AsyncGenerator<string[]> {
  const match = `${escapeGlob(prefix)}${pattern}`;
  for (const node of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
    let cursor = '0';
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', match, 'COUNT', SCAN_COUNT);
      cursor = next;
      if (keys.length > 0) yield keys;
    } while (cursor !== '0');
  }
}

/** A text that stands for itself in a pattern of Redis. */
function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&');
}
