import { Cluster, type Redis } from 'ioredis';

/** Keys that one SCAN examines. */
const SCAN_COUNT = 1_000;

/**
 * Iterates over all keys that start with `prefix`, on every master of a cluster. Keys written meanwhile may be missing, and
 * so may those of a migrating slot; any key may be returned twice (see SCAN).
 *
 * @param pattern what follows the prefix, a glob-style pattern of Redis
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

/** Escapes a literal text for a glob-style pattern of Redis. */
function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&');
}
