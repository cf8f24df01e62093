import type { Cluster, Redis } from 'ioredis';
import { UnexpectedReplyError } from '../reply-shapes.ts';
import { defineScript } from './script.ts';

/** What a key holds, and the time of the server that holds it. */
export interface TimedValue {
  readonly value: TextValue;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** A string, no value, or one of another type. */
type TextValue =
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'none' }
  | { readonly type: 'other'; readonly name: string };

/** Replaces a value by what was computed from it, and from the time at which it was read. */
export interface TimedValueStore {
  read(): Promise<TimedValue>;
  /**
   * Compares and sets.
   *
   * @param expected must still be the value; undefined if there must be none
   * @param readAt the time that `read` returned
   * @returns whether it was written: not if the value is another one, or if it was read too long ago
   */
  replace(expected: string | undefined, next: string, readAt: number): Promise<boolean>;
}

/** What is computed from the time may be wrong later: a process may be suspended in between. */
const MAX_AGE_MILLISECONDS = 10_000;

export function openTimedValue(redis: Redis | Cluster, key: string): TimedValueStore {
  const read = defineScript(redis, readScript, { readsOnly: true });
  const replace = defineScript(redis, replaceScript);
  return {
    read: async () => parseReply(await read([key])),
    replace: async (expected, next, readAt) => {
      const [type, text] = expected === undefined ? ['none', ''] : ['string', expected];
      const reply = await replace([key], [type, text, next, String(readAt), String(MAX_AGE_MILLISECONDS)]);
      if (reply === 0 || reply === 1) return reply === 1;
      throw new UnexpectedReplyError('unexpected reply to a script');
    },
  };
}

function parseReply(reply: unknown): TimedValue {
  const [seconds, microseconds, type, text] = Array.isArray(reply) ? reply.map(String) : [];
  const time = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  if (!Number.isSafeInteger(time) || type === undefined) {
    throw new UnexpectedReplyError('unexpected reply to a script');
  }
  if (type === 'string') return { value: { type, text: text ?? '' }, time };
  return { value: type === 'none' ? { type } : { type: 'other', name: type }, time };
}

/** Returns TIME, the type, and the value of a string. */
const readScript = `
local time = redis.call('TIME')
local kind = redis.call('TYPE', KEYS[1]).ok
local value = ''
if kind == 'string' then value = redis.call('GET', KEYS[1]) end
return { time[1], time[2], kind, value }`;

/** ARGV: the expected type and text, the new text, the time of the read, and how long ago that may be. */
const replaceScript = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= ARGV[1] or (kind == 'string' and redis.call('GET', KEYS[1]) ~= ARGV[2]) then return 0 end
local time = redis.call('TIME')
local elapsed = time[1] * 1000 + time[2] / 1000 - ARGV[4]
if elapsed > tonumber(ARGV[5]) or elapsed < -tonumber(ARGV[5]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
return 1`;
