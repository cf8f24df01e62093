import type { Cluster, Redis } from 'ioredis';
import { keyGroups } from './key-groups.ts';
import { defineScript } from './script.ts';
import type { StoredValue } from './stored-values.ts';

/** What is to stand at a key, where what was `seen` still stands there; `next` undefined is nothing. */
export interface Replacement {
  readonly key: string;
  readonly seen: StoredValue;
  readonly next: string | undefined;
}

/**
 * Compares and sets each of some keys.
 *
 * @returns of each whether it was written; false where somebody else has written it meanwhile
 */
export type ReplaceValues = (replacements: readonly Replacement[]) => readonly Promise<boolean>[];

/**
 * ARGV: the channel; then for each key the type of what was seen there and its text, whether to set it, and to what. A
 * time to live that the operator gave the key stays.
 */
const lua = `
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
export function valuesReplacer(redis: Redis | Cluster, channel: string): ReplaceValues {
  const run = defineScript(redis, lua);
  return (replacements) =>
    keyGroups(redis, replacements).flatMap((group) => {
      const keys = group.map(({ key }) => key);
      const written = run(keys, [channel, ...group.flatMap(argumentsOf)]);
      // What the script returns.
      return group.map(async (_, index) => ((await written) as readonly number[])[index] === 1);
    });
}

function argumentsOf({ seen, next }: Replacement): (string | Buffer)[] {
  const type = seen.type === 'other' ? seen.name : seen.type;
  const text = seen.type === 'string' ? (seen.octets ?? seen.text) : '';
  return [type, text, next === undefined ? 'delete' : 'set', next ?? ''];
}
