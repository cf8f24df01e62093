import type { Cluster, Redis } from 'ioredis';
import { keyGroups } from './key-groups.ts';
import { defineScript } from './script.ts';

/**
 * What stands at a key: nothing, a string, or a value of another type. `octets` is there where the string is not UTF-8
 * and `text` therefore not all of it.
 */
export type StoredValue =
  | { readonly type: 'none' }
  | { readonly type: 'string'; readonly text: string; readonly octets?: Buffer }
  | { readonly type: 'other'; readonly name: string };

/** Reads what stands at each of some keys, whatever its type. */
export type ReadValues = (keys: readonly string[]) => Promise<readonly StoredValue[]>;

/** Of each key the string, or a list with the name of another type in it. */
const lua = `
local found = {}
for index, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'string' then found[index] = redis.call('GET', key) else found[index] = { kind } end
end
return found`;

export function valuesReader(redis: Redis | Cluster): ReadValues {
  const run = defineScript(redis, lua, { readsOnly: true });
  const readGroup = async (keys: readonly string[]) => {
    // What the script returns.
    const found = (await run(keys)) as readonly (string | readonly [string])[];
    return Promise.all(found.map((value, index) => storedValue(redis, keys[index] ?? '', value)));
  };
  return async (keys) => (await Promise.all(keyGroups(redis, keys).map(readGroup))).flat();
}

function storedValue(redis: Redis | Cluster, key: string, found: string | readonly [string]) {
  if (typeof found === 'string') return found.includes('\uFFFD') ? readOctets(redis, key) : stringOf(found);
  const [name] = found;
  return name === 'none' ? nothing : ({ type: 'other', name } as const);
}

const nothing = { type: 'none' } as const;

function stringOf(text: string): StoredValue {
  return { type: 'string', text };
}

async function readOctets(redis: Redis | Cluster, key: string): Promise<StoredValue> {
  const octets = await redis.getBuffer(key);
  return octets === null ? nothing : { type: 'string', text: octets.toString(), octets };
}
