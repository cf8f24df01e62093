import { createHash } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';

/** Runs a Lua script on some keys, which belong to one slot in a cluster. */
type ScriptRunner = (keys: readonly string[], args?: Arguments) => Promise<unknown>;

type Arguments = readonly (string | Buffer)[];

type Verb = 'EVAL' | 'EVALSHA' | 'EVAL_RO' | 'EVALSHA_RO';

/**
 * Defines a Lua script that Redis caches, and that is sent again when Redis has lost it.
 *
 * @param readsOnly whether a user with read-only access to the keys may run it; Redis before 7 does not make the difference
 */
export function defineScript(redis: Redis | Cluster, lua: string, { readsOnly = false } = {}): ScriptRunner {
  const sha = createHash('sha1').update(lua).digest('hex');
  let suffix: '' | '_RO' = readsOnly ? '_RO' : '';
  const call = (verb: Verb, script: string, keys: readonly string[], args: Arguments) =>
    redis.call(verb, script, keys.length, ...keys, ...args);
  const run: ScriptRunner = async (keys, args = []) => {
    // Each of several concurrent runs gets its own "unknown command" reply.
    const triedSuffix = suffix;
    try {
      return await call(`EVALSHA${triedSuffix}`, sha, keys, args);
    } catch (error) {
      const message = error instanceof Error ? error.message : '';
      if (message.startsWith('NOSCRIPT')) return call(`EVAL${triedSuffix}`, lua, keys, args);
      if (triedSuffix === '' || !/unknown command/i.test(message)) throw error;
      suffix = '';
      return run(keys, args);
    }
  };
  return run;
}

const MAX_KEYS = 200;

/**
 * Splits a list into groups whose keys one script may run on: single keys in a cluster, otherwise few enough that the
 * script does not block other clients noticeably.
 */
export function keyGroups<Item>(redis: Redis | Cluster, items: readonly Item[]): readonly (readonly Item[])[] {
  const size = redis instanceof Cluster ? 1 : MAX_KEYS;
  return Array.from({ length: Math.ceil(items.length / size) }, (_, group) =>
    items.slice(group * size, (group + 1) * size),
  );
}
