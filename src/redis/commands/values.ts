import type { Cluster, Redis } from 'ioredis';
import { defineScript, groupByScript } from './script.ts';

/** What is to stand at a key, where what was `seen` still stands there; `next` undefined is nothing. */
export interface Replacement {
  readonly key: string;
  readonly expected: StoredValue;
  readonly next: string | undefined;
}

/**
 * Compares and sets each of some keys.
 *
 * @returns of each whether it was written; false where somebody else has written it meanwhile
 */
export type ValueReplacer = (replacements: readonly Replacement[]) => readonly Promise<boolean>[];

/**
 * ARGV: the channel; then for each key the type of what was seen there and its text, whether to set it, and to what. A
 * time to live that the operator gave the key stays.
 */
const replaceScript = `
local written = {}
for index, key in ipairs(KEYS) do
  local first = 4 * index - 2
  local kind = redis.call('TYPE', key).ok
  if kind == ARGV[first] and (kind ~= 'string' or redis.call('GET', key) == ARGV[first + 1]) then
    if ARGV[first + 2] == 'set' then redis.call('SET', key, ARGV[first + 3], 'KEEPTTL') else redis.call('DEL', key) end
    redis.call('PUBLISH', ARGV[1], key)
    written[index] = 1
  else
    written[index] = 0
  end
end
return written`;

/** @param channel where each key that was written is published */
export function valueReplacer(redis: Redis | Cluster, channel: string): ValueReplacer {
  const run = defineScript(redis, replaceScript);
  return (replacements) =>
    groupByScript(redis, replacements).flatMap((group) => {
      const keys = group.map(({ key }) => key);
      const written = run(keys, [channel, ...group.flatMap(scriptArguments)]);
      // What the script returns.
      return group.map(async (_, index) => ((await written) as readonly number[])[index] === 1);
    });
}

function scriptArguments({ expected, next }: Replacement): (string | Buffer)[] {
  const type = expected.type === 'other' ? expected.name : expected.type;
  const text = expected.type === 'string' ? (expected.bytes ?? expected.text) : '';
  return [type, text, next === undefined ? 'delete' : 'set', next ?? ''];
}

/**
 * What stands at a key: nothing, a string, or a value of another type. `bytes` is there where the string is not UTF-8
 * and `text` therefore not all of it.
 */
export type StoredValue =
  | { readonly type: 'none' }
  | { readonly type: 'string'; readonly text: string; readonly bytes?: Buffer }
  | { readonly type: 'other'; readonly name: string };

/** Reads what stands at each of some keys, whatever its type. */
export type ValueReader = (keys: readonly string[]) => Promise<readonly StoredValue[]>;

/** Of each key the string, or a list with the name of another type in it. */
const readScript = `
local found = {}
for index, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'string' then found[index] = redis.call('GET', key) else found[index] = { kind } end
end
return found`;

export function valueReader(redis: Redis | Cluster): ValueReader {
  const run = defineScript(redis, readScript, { readsOnly: true });
  const readGroup = async (keys: readonly string[]) => {
    // What the script returns.
    const found = (await run(keys)) as readonly (string | readonly [string])[];
    return Promise.all(found.map((value, index) => storedValue(redis, keys[index] ?? '', value)));
  };
  return async (keys) => (await Promise.all(groupByScript(redis, keys).map(readGroup))).flat();
}

function storedValue(redis: Redis | Cluster, key: string, found: string | readonly [string]) {
  if (typeof found === 'string') return found.includes('\uFFFD') ? readBytes(redis, key) : stringValue(found);
  const [name] = found;
  return name === 'none' ? noValue : ({ type: 'other', name } as const);
}

const noValue = { type: 'none' } as const;

function stringValue(text: string): StoredValue {
  return { type: 'string', text };
}

async function readBytes(redis: Redis | Cluster, key: string): Promise<StoredValue> {
  const bytes = await redis.getBuffer(key);
  return bytes === null ? noValue : { type: 'string', text: bytes.toString(), bytes };
}
