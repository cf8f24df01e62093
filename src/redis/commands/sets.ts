import type { Cluster, Redis } from 'ioredis';
import { defineScript, groupByScript } from './script.ts';

/** A member of the set at a key. */
export interface Membership {
  readonly key: string;
  readonly member: string;
}

/** Many sets at once. What stands at a key and is no set has no members, and gives way to one. */
export interface Sets {
  members(keys: readonly string[]): Promise<readonly (readonly string[])[]>;
  add(memberships: readonly Membership[]): Promise<void>;
  remove(memberships: readonly Membership[]): Promise<void>;
}

const membersScript = `
local found = {}
for index, key in ipairs(KEYS) do
  if redis.call('TYPE', key).ok == 'set' then found[index] = redis.call('SMEMBERS', key) else found[index] = {} end
end
return found`;

const addScript = `
for index, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'set' and kind ~= 'none' then redis.call('DEL', key) end
  redis.call('SADD', key, ARGV[index])
end`;

const removeScript = `
for index, key in ipairs(KEYS) do
  if redis.call('TYPE', key).ok == 'set' then redis.call('SREM', key, ARGV[index]) end
end`;

export function openSets(redis: Redis | Cluster): Sets {
  const read = defineScript(redis, membersScript, { readsOnly: true });
  const change = (lua: string): Sets['add'] => {
    const run = defineScript(redis, lua);
    const ofGroup = (group: readonly Membership[]) =>
      run(
        group.map(({ key }) => key),
        group.map(({ member }) => member),
      );
    return async (memberships) => void (await Promise.all(groupByScript(redis, memberships).map(ofGroup)));
  };
  return {
    // What the script returns.
    members: async (keys) =>
      (await Promise.all(groupByScript(redis, keys).map((group) => read(group)))).flat() as string[][],
    add: change(addScript),
    remove: change(removeScript),
  };
}
