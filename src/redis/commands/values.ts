import type { Cluster, Redis } from 'ioredis';
import { requireItems } from '../reply-shapes.ts';
import { defineScript, keyGroups } from './script.ts';

/**
 * The value of a key: none, a string, or another type. `bytes` is present when the string is not valid UTF-8, so that `text`
 * does not represent it.
 */
export type StoredValue =
  | { readonly type: 'none' }
  | { readonly type: 'string'; readonly text: string; readonly bytes?: Buffer }
  | { readonly type: 'other'; readonly name: string };

/** Reads the values of some keys, in their order, whatever their types. */
type ValueReader = (keys: readonly string[]) => Promise<readonly StoredValue[]>;

export function valueReader(redis: Redis | Cluster): ValueReader {
  const run = defineScript(redis, readScript, { readsOnly: true });
  const readGroup = async (keys: readonly string[]) => {
    const replies = requireItems(await run(keys), keys, isValueReply);
    return Promise.all(replies.map((reply, index) => storedValue(redis, keys[index] ?? '', reply)));
  };
  return async (keys) => (await Promise.all(keyGroups(redis, keys).map(readGroup))).flat();
}

type ValueReply = string | readonly [string];

function isValueReply(item: unknown): item is ValueReply {
  return typeof item === 'string' || (Array.isArray(item) && item.length === 1 && typeof item[0] === 'string');
}

/** Returns, for each key, the string, or the name of another type in an array. */
const readScript = `
local found = {}
for index, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'string' then found[index] = redis.call('GET', key) else found[index] = { kind } end
end
return found`;

function storedValue(redis: Redis | Cluster, key: string, reply: ValueReply): StoredValue | Promise<StoredValue> {
  if (typeof reply === 'string') {
    return reply.includes('\uFFFD') ? readBytes(redis, key) : { type: 'string', text: reply };
  }
  const [name] = reply;
  return name === 'none' ? noValue : { type: 'other', name };
}

const noValue = { type: 'none' } as const;

async function readBytes(redis: Redis | Cluster, key: string): Promise<StoredValue> {
  const bytes = await redis.getBuffer(key);
  return bytes === null ? noValue : { type: 'string', text: bytes.toString(), bytes };
}

/** Sets a key to `next`, or deletes it when that is undefined, provided that its value still is the expected one. */
interface Replacement {
  readonly key: string;
  readonly expected: StoredValue;
  readonly next: string | undefined;
}

/**
 * Compares and sets each key.
 *
 * @returns for each key whether it was written; false when its value was not the expected one
 */
type ValueReplacer = (replacements: readonly Replacement[]) => readonly Promise<boolean>[];

/** @param channel where each written key is published */
export function valueReplacer(redis: Redis | Cluster, channel: string): ValueReplacer {
  const run = defineScript(redis, replaceScript);
  return (replacements) =>
    keyGroups(redis, replacements).flatMap((group) => {
      const keys = group.map(({ key }) => key);
      const reply = run(keys, [channel, ...group.flatMap(scriptArguments)]);
      const written = reply.then((items) => requireItems(items, keys, isFlag));
      return group.map(async (_, index) => (await written)[index] === 1);
    });
}

function isFlag(item: unknown): item is 0 | 1 {
  return item === 0 || item === 1;
}

function scriptArguments({ expected, next }: Replacement): (string | Buffer)[] {
  const type = expected.type === 'other' ? expected.name : expected.type;
  const text = expected.type === 'string' ? (expected.bytes ?? expected.text) : '';
  return [type, text, next === undefined ? 'delete' : 'set', next ?? ''];
}

/**
 * ARGV: the channel; then, for each key, the type and text of the expected value, whether to set or delete, and the new
 * text. A time to live that the operator gave the key is kept.
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
