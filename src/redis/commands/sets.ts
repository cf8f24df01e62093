import type { Cluster, Redis } from 'ioredis';
import { requireItems } from '../reply-shapes.ts';
import { defineScript, keyGroups } from './script.ts';

/** Bulk access to sets. A key of another type counts as an empty set, and `add` replaces it. */
export interface Sets {
  /** The members of each set, in the order of the keys. */
  members(keys: readonly string[]): Promise<readonly (readonly string[])[]>;
  add(memberships: readonly Membership[]): Promise<void>;
  remove(memberships: readonly Membership[]): Promise<void>;
}

/** A member of the set at a key. */
interface Membership {
  readonly key: string;
  readonly member: string;
}

/** @param channel where each changed key is published */
export function openSets(redis: Redis | Cluster, channel: string): Sets {
  const runMembers = defineScript(redis, membersScript, { readsOnly: true });
  return {
    members: async (keys) => {
      const read = async (group: readonly string[]) => requireItems(await runMembers(group), group, isMembers);
      return (await Promise.all(keyGroups(redis, keys).map(read))).flat();
    },
    add: membershipChange(redis, addScript, channel),
    remove: membershipChange(redis, removeScript, channel),
  };
}

function isMembers(item: unknown): item is readonly string[] {
  return Array.isArray(item) && item.every((member) => typeof member === 'string');
}

function membershipChange(redis: Redis | Cluster, lua: string, channel: string): Sets['add'] {
  const run = defineScript(redis, lua);
  const changeGroup = (group: readonly Membership[]) =>
    run(
      group.map(({ key }) => key),
      [channel, ...group.map(({ member }) => member)],
    );
  return async (memberships) => void (await Promise.all(keyGroups(redis, memberships).map(changeGroup)));
}

const membersScript = `
local found = {}
for index, key in ipairs(KEYS) do
  if redis.call('TYPE', key).ok == 'set' then found[index] = redis.call('SMEMBERS', key) else found[index] = {} end
end
return found`;

/** ARGV: the channel, then the member for each key. */
const addScript = `
for index, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'set' and kind ~= 'none' then redis.call('DEL', key) end
  if redis.call('SADD', key, ARGV[index + 1]) == 1 then redis.call('PUBLISH', ARGV[1], key) end
end`;

/** ARGV as above. */
const removeScript = `
for index, key in ipairs(KEYS) do
  if redis.call('TYPE', key).ok == 'set' and redis.call('SREM', key, ARGV[index + 1]) == 1 then
    redis.call('PUBLISH', ARGV[1], key)
  end
end`;
