import type { RedisConnection } from '../redis/connection.ts';
import type { CommandExecutor } from '../redis/guarded-redis.ts';
import type { Revocation } from '../tokens/revocation/revocation.ts';
import {
  addToStream,
  extendKey,
  NoStreamError,
  readStream,
  revocationKeys,
  type StreamEntry,
  timeOfId,
  trimStream,
} from '../tokens/revocation/revocation-store.ts';
import { AdministrationError } from './administration-error.ts';
import { withExplainedErrors } from './record-store.ts';

/** The revocations in Redis. Each method throws AdministrationError if Redis fails. */
export interface RevocationStore {
  /** The time of the clock of Redis, in milliseconds since the epoch. */
  now(): Promise<number>;
  /** Resolves once it is stored, from where every replica reads it. @param now milliseconds since the epoch */
  revoke(revocation: Revocation, now: number): Promise<void>;
  /** Those that are in force, the latest first: one for each subject. @param now milliseconds since the epoch */
  list(now: number): Promise<readonly ListedRevocation[]>;
}

export interface ListedRevocation extends Revocation {
  /** Milliseconds since the epoch, by the clock of Redis. */
  readonly revokedAt: number;
}

/** @param description of Redis, for messages */
export function openRevocationStore(
  { redis, explain }: RedisConnection,
  keyPrefix: string,
  description: string,
): RevocationStore {
  const keys = revocationKeys(keyPrefix);
  const explained = withExplainedErrors(description, explain);
  const execute: CommandExecutor = (command) => command(redis);
  const run = async <Value>(work: Promise<Value>): Promise<Value> => {
    const named = work.catch((error: unknown) => {
      throw error instanceof NoStreamError
        ? new AdministrationError([`Redis at ${description}: ${error.message}`])
        : error;
    });
    return explained(named);
  };
  return {
    now: async () => {
      const [seconds, microseconds] = await run(redis.time());
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    },
    revoke: async (revocation, now) => {
      await run(extendKey(execute, keys, revocation, now));
      const id = await run(addToStream(execute, keys, revocation));
      // Older entries than necessary are harmless.
      await trimStream(execute, keys, id, now).catch(() => {});
    },
    list: async (now) => {
      const found = new Map<string, ListedRevocation>();
      for await (const page of pagesOf((from) => run(readStream(execute, keys, from, PAGE_ENTRIES)))) {
        for (const entry of page) addLatest(found, entry, now);
      }
      return [...found.values()].sort((one, other) => other.revokedAt - one.revokedAt);
    },
  };
}

const PAGE_ENTRIES = 1_000;

async function* pagesOf(
  read: (from: string) => Promise<readonly StreamEntry[]>,
): AsyncGenerator<readonly StreamEntry[]> {
  let last: string | undefined;
  for (;;) {
    const page = await read(last ?? '-');
    // Redis before 6.2 has no exclusive ranges.
    const fresh = page[0]?.id === last ? page.slice(1) : page;
    yield fresh;
    if (page.length < PAGE_ENTRIES) return;
    last = page.at(-1)?.id;
  }
}

/** The latest time that RFC 3339 can express. The ids of a stream can be later. */
const LATEST = 253_402_300_799_999;

/** Of several revocations of one subject, the one that revokes most is in force. */
function addLatest(found: Map<string, ListedRevocation>, { id, revocation }: StreamEntry, now: number): void {
  if (!revocation || revocation.expiresAt * 1000 <= now) return;
  const key = `${revocation.kind}:${revocation.value}`;
  const known = found.get(key);
  const revokedAt = Math.min(timeOfId(id), LATEST);
  if (!known || known.before < revocation.before) found.set(key, { ...revocation, revokedAt });
}
