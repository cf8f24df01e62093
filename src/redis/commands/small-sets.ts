import { Cluster, type Redis } from 'ioredis';
import { AclDeniedError, type CommandExecutor, isWrongType } from '../guarded-redis.ts';
import { isErrorReply } from '../reply-shapes.ts';

/** The members of a set, unless it has more than the limit. */
export type SmallSet = readonly string[] | 'oversized';

/** Both throw {AclDeniedError} if the ACL denies the command, or a key. */
interface SetCommands {
  /** Executes SCARD. */
  readonly size: CommandExecutor;
  /** Executes SMEMBERS. */
  readonly members: CommandExecutor;
}

/**
 * Reads some sets, which may be on different nodes of a cluster. One pipeline reads their sizes, and another the members
 * of those that are neither empty nor oversized: a reply of a million members would block this process for seconds. If the
 * ACL denies SCARD, all members are read.
 *
 * A missing key, and one of another type, counts as an empty set.
 *
 * @param maxMembers of each set
 * @throws {RedisUnavailableError}
 */
export async function readSmallSets(
  execute: SetCommands,
  keys: readonly string[],
  maxMembers: number,
): Promise<readonly SmallSet[]> {
  const sizes = (await readSizes(execute.size, keys)) ?? keys.map(() => undefined);
  const isSmall = (size = 1) => size > 0 && size <= maxMembers;
  const small = keys.filter((_, index) => isSmall(sizes[index]));
  const sets = small.length === 0 ? [] : await execute.members((redis) => readAll(redis, 'smembers', small));
  const members = new Map(small.map((key, index) => [key, sets[index] ?? []]));
  return keys.map((key, index) => {
    const found = members.get(key) ?? [];
    return (sizes[index] ?? found.length) > maxMembers ? 'oversized' : found;
  });
}

/** @returns undefined if the ACL denies it */
async function readSizes(execute: CommandExecutor, keys: readonly string[]): Promise<readonly number[] | undefined> {
  try {
    return await execute((redis) => readAll(redis, 'scard', keys));
  } catch (error) {
    if (error instanceof AclDeniedError) return undefined;
    throw error;
  }
}

/** The replies to each command. */
interface Replies {
  scard: number;
  smembers: readonly string[];
}

const repliesOfEmptySet: Replies = { scard: 0, smembers: [] };

/** Sends a command for each key, without waiting for the replies in between. */
async function readAll<Command extends keyof Replies>(
  redis: Redis | Cluster,
  command: Command,
  keys: readonly string[],
): Promise<readonly Replies[Command][]> {
  const results =
    redis instanceof Cluster
      ? await Promise.all(keys.map((key) => resultOf(redis[command](key))))
      : await redis.pipeline(keys.map((key) => [command, key])).exec();
  return (results ?? []).map(([error, reply]) => {
    // Replies of another type were rejected (reply-shapes.ts).
    if (!error) return reply as Replies[Command];
    if (isWrongType(error)) return repliesOfEmptySet[command];
    throw error;
  });
}

/** As a pipeline returns it. */
async function resultOf(reply: Promise<unknown>): Promise<[Error | null, unknown]> {
  try {
    return [null, await reply];
  } catch (error) {
    if (isErrorReply(error)) return [error, undefined];
    throw error;
  }
}
