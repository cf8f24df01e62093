import { defineScript } from '../../redis/commands/script.ts';
import { type CommandExecutor, isWrongType } from '../../redis/guarded-redis.ts';
import { ALL, digestOf, type Revocation, type RevokedSubject } from './revocation.ts';
import { keyValue, parseKeyValue, parseStreamFields, streamFields } from './stored-revocation.ts';

/** The revocations in Redis: a stream of all, which replicas follow, and a key for each, for lookups of single tokens. */
export interface RevocationKeys {
  readonly stream: string;
  /** The kind, a colon and the base64url SHA-256 of the subject follow. */
  readonly prefix: string;
}

/** @param keyPrefix such as `countersign:` */
export function revocationKeys(keyPrefix: string): RevocationKeys {
  return { stream: `${keyPrefix}revocations`, prefix: `${keyPrefix}revoked:` };
}

function keyOf({ prefix }: RevocationKeys, subject: RevokedSubject): string {
  return `${prefix}${subject.kind}:${digestOf(subject).toString('base64url')}`;
}

/**
 * The latest `before` of each subject; undefined if it is not revoked.
 *
 * @throws what `execute` throws
 */
export async function findRevocations(
  execute: CommandExecutor,
  keys: RevocationKeys,
  subjects: readonly RevokedSubject[],
): Promise<readonly (number | undefined)[]> {
  // Separate commands, since the keys may be on different nodes of a cluster.
  return execute((redis) => Promise.all(subjects.map((subject) => findBefore(redis.get(keyOf(keys, subject))))));
}

/** A value of another type is not one of ours; as for a malformed one, nothing else can have written it. */
async function findBefore(reply: Promise<string | null>): Promise<number | undefined> {
  try {
    const text = await reply;
    return text === null ? undefined : parseKeyValue(text);
  } catch (error) {
    if (isWrongType(error)) return ALL;
    throw error;
  }
}

/**
 * Writes the key of a revoked token. It expires with the revocation.
 *
 * @param now milliseconds since the epoch
 * @returns whether it was written; false if it exists
 */
export async function writeKeyOnce(
  execute: CommandExecutor,
  keys: RevocationKeys,
  revocation: Revocation,
  now: number,
): Promise<boolean> {
  const key = keyOf(keys, revocation);
  const value = keyValue(revocation);
  return (await execute((redis) => redis.set(key, value, 'PX', lifetimeOf(revocation, now), 'NX'))) !== null;
}

/**
 * Writes the key of a revocation, unless a later one is there. It expires with the revocation.
 *
 * @param now milliseconds since the epoch
 */
export async function extendKey(
  execute: CommandExecutor,
  keys: RevocationKeys,
  revocation: Revocation,
  now: number,
): Promise<void> {
  const args = [String(revocation.before), keyValue(revocation), String(lifetimeOf(revocation, now))];
  await execute((redis) => defineScript(redis, extendScript)([keyOf(keys, revocation)], args));
}

/** ARGV: `before`, the value, its lifetime in milliseconds. A value without `before` revokes everything. */
const extendScript = `
if redis.call('TYPE', KEYS[1]).ok == 'string' then
  local isJson, known = pcall(cjson.decode, redis.call('GET', KEYS[1]))
  if isJson and type(known) == 'table' and (tonumber(known.before) or math.huge) >= tonumber(ARGV[1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

function lifetimeOf({ expiresAt }: Revocation, now: number): number {
  return Math.max(1, expiresAt * 1000 - now);
}

/** The key of the stream has another type of value. Redis is available then. */
export class NoStreamError extends Error {
  override readonly name = 'NoStreamError';
}

/** @throws {NoStreamError}, or what `execute` throws */
async function executeOnStream<Reply>(
  execute: CommandExecutor,
  stream: string,
  command: Parameters<typeof execute<Reply>>[0],
): Promise<Reply> {
  try {
    return await execute(command);
  } catch (error) {
    if (isWrongType(error)) throw new NoStreamError(`the key ${stream} does not hold a stream: delete it`);
    throw error;
  }
}

/** Adds a revocation to the stream. @returns the id of the entry */
export async function addToStream(
  execute: CommandExecutor,
  { stream }: RevocationKeys,
  revocation: Revocation,
): Promise<string> {
  const id = await executeOnStream(execute, stream, (redis) => redis.xadd(stream, '*', ...streamFields(revocation)));
  // Redis only replies with null if it must not create the stream.
  return id ?? '';
}

/** An entry of the stream. */
export interface StreamEntry {
  readonly id: string;
  /** Undefined if the entry is not a revocation. */
  readonly revocation: Revocation | undefined;
}

/** When an entry was added, in milliseconds since the epoch, by the clock of Redis. */
export function timeOfId(id: string): number {
  return Number.parseInt(id, 10);
}

/** @param from the first id, included; `-` is the first one of the stream */
export async function readStream(
  execute: CommandExecutor,
  { stream }: RevocationKeys,
  from: string,
  count: number,
): Promise<readonly StreamEntry[]> {
  const entries = await executeOnStream(execute, stream, (redis) => redis.xrange(stream, from, '+', 'COUNT', count));
  return entries.map(([id, fields]) => ({ id, revocation: parseStreamFields(fields) }));
}

/** An hour longer than any revocation is in force. */
const KEPT_MILLISECONDS = 25.5 * 3_600_000;
const TRIM_ENTRIES = 1_000;

/**
 * Removes old entries that are no longer in force, by the clock of Redis, which made the ids, and by ours: either may be
 * wrong. With XDEL, since Redis before 6.2 cannot trim a stream by time.
 *
 * @param latest id of an entry that was added now
 * @param now milliseconds since the epoch
 */
export async function trimStream(
  execute: CommandExecutor,
  { stream }: RevocationKeys,
  latest: string,
  now: number,
): Promise<void> {
  const end = String(timeOfId(latest) - KEPT_MILLISECONDS);
  for (;;) {
    const old = await execute((redis) => redis.xrange(stream, '-', end, 'COUNT', TRIM_ENTRIES));
    const expired = old.filter(([, fields]) => (parseStreamFields(fields)?.expiresAt ?? 0) * 1000 <= now);
    if (expired.length > 0) await execute((redis) => redis.xdel(stream, ...expired.map(([id]) => id)));
    if (expired.length < TRIM_ENTRIES) return;
  }
}

/** Whether two entries have the same id and the same content: after a failover, ids may be used again. */
export function isSameEntry(one: StreamEntry | undefined, other: StreamEntry): boolean {
  const [a, b] = [one?.revocation, other.revocation];
  if (one?.id !== other.id) return false;
  return a?.kind === b?.kind && a?.value === b?.value && a?.before === b?.before && a?.expiresAt === b?.expiresAt;
}
