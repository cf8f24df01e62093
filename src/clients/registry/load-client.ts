import type { LoadResult } from '../../cache/near-cache.ts';
import { type GuardedRedis, isWrongType, RedisUnavailableError } from '../../redis/guarded-redis.ts';
import { abbreviate } from '../../text.ts';
import type { Client } from '../client.ts';
import { formatDiagnostic } from '../diagnostics.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { decodeRecord, parseStoredRecord } from '../stored-record.ts';
import type { DataLossDetector } from './data-loss.ts';

/** The parsed value of a client's key. */
export type StoredClient =
  | { readonly kind: 'client'; readonly client: Client }
  | { readonly kind: 'none' }
  /** The value is not a valid record of this client. */
  | { readonly kind: 'invalid'; readonly reason: string };

interface LoadClientOptions {
  readonly redis: GuardedRedis;
  /** Of the key of a record; the `client_id` follows. */
  readonly prefix: string;
  readonly dataLoss: DataLossDetector;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Loads a client's record from Redis.
 *
 * @throws {RedisUnavailableError} also if the record is missing because Redis lost all records
 */
export async function loadClient(clientId: string, options: LoadClientOptions): Promise<LoadResult<StoredClient>> {
  const found = await readRecord(clientId, options);
  if (found) return found;
  if (await options.dataLoss.hasLostData())
    throw new RedisUnavailableError(
      'all client records are gone from Redis; restore them with `countersign clients apply`',
    );
  // The records may have been restored, and then the marker, after this one was read.
  return (await readRecord(clientId, options)) ?? noClient;
}

const noClient: LoadResult<StoredClient> = { kind: 'absent', value: { kind: 'none' }, bytes: 0 };

async function readRecord(
  clientId: string,
  { redis, prefix, policy, now }: LoadClientOptions,
): Promise<LoadResult<StoredClient> | undefined> {
  const key = `${prefix}${clientId}`;
  const [value, lifetime] = await Promise.all([getValue(redis, key), getLifetime(redis, key)]);
  if (value === null) return undefined;
  if ('wrongType' in value) return invalidClientRecord(value.wrongType);
  return { ...parseValue(value, clientId, policy, now()), ...lifetime };
}

/** Bytes, because ioredis would silently replace invalid UTF-8. */
async function getValue(
  { execute }: GuardedRedis,
  key: string,
): Promise<Buffer | null | { readonly wrongType: string }> {
  try {
    return await execute((redis) => redis.getBuffer(key));
  } catch (error) {
    if (isWrongType(error)) return { wrongType: error.message };
    throw error;
  }
}

/** Redis deletes an expired key at some later time, and sends no invalidation before that. */
async function getLifetime({ executeIfPermitted }: GuardedRedis, key: string): Promise<{ readonly lifetime?: number }> {
  const milliseconds = await executeIfPermitted((redis) => redis.pttl(key));
  return milliseconds !== undefined && milliseconds >= 0 ? { lifetime: milliseconds } : {};
}

/** Measured: the heap size of a small client, and of each byte of a larger record. */
const BYTES_PER_CLIENT = 1_500;
const BYTES_PER_RECORD_BYTE = 2;

function parseValue(
  value: Buffer,
  clientId: string,
  policy: RegistrationPolicy,
  now: number,
): LoadResult<StoredClient> {
  const record = decodeRecord(value);
  if (typeof record === 'string') return invalidClientRecord(record);
  const parsed = parseStoredRecord(clientId, record, policy, now);
  if (!parsed.ok) return invalidClientRecord(parsed.errors.map(formatDiagnostic).join('; '));
  const bytes = BYTES_PER_CLIENT + BYTES_PER_RECORD_BYTE * value.length;
  return { kind: 'present', value: { kind: 'client', client: parsed.client }, bytes };
}

function invalidClientRecord(problem: string): LoadResult<StoredClient> {
  // It may quote a large part of the record.
  const reason = abbreviate(problem);
  return { kind: 'absent', value: { kind: 'invalid', reason }, bytes: BYTES_PER_RECORD_BYTE * reason.length };
}
