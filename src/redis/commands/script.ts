import { createHash } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';

type Arguments = readonly (string | Buffer)[];

/** Runs a script on some keys, which in a cluster are of one slot. */
export type ScriptRunner = (keys: readonly string[], args?: Arguments) => Promise<unknown>;

type Verb = 'EVAL' | 'EVALSHA' | 'EVAL_RO' | 'EVALSHA_RO';

/**
 * A script in Lua that Redis keeps, and is given again where it has lost it.
 *
 * @param readsOnly whether a user may run it who may only read its keys; before Redis 7 there is no such difference
 */
export function defineScript(redis: Redis | Cluster, lua: string, { readsOnly = false } = {}): ScriptRunner {
  const sha = createHash('sha1').update(lua).digest('hex');
  let suffix: '' | '_RO' = readsOnly ? '_RO' : '';
  const call = (verb: Verb, script: string, keys: readonly string[], args: Arguments) =>
    redis.call(verb, script, keys.length, ...keys, ...args);
  const run: ScriptRunner = async (keys, args = []) => {
    // Of many that run at once, each is told for itself that there is no such command.
    const tried = suffix;
    try {
      return await call(`EVALSHA${tried}`, sha, keys, args);
    } catch (error) {
      const message = error instanceof Error ? error.message : '';
      if (message.startsWith('NOSCRIPT')) return call(`EVAL${tried}`, lua, keys, args);
      if (tried === '' || !/unknown command/i.test(message)) throw error;
      suffix = '';
      return run(keys, args);
    }
  };
  return run;
}

const MAX_GROUP_SIZE = 200;

/**
 * Parts of a list whose keys one script may be run on: of a cluster one key each, else so many that the script is done
 * before anybody notices that he waits for it.
 */
export function groupByScript<Item>(redis: Redis | Cluster, items: readonly Item[]): readonly (readonly Item[])[] {
  const size = redis instanceof Cluster ? 1 : MAX_GROUP_SIZE;
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size),
  );
}
