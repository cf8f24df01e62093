import type { LoadResult, NearCache } from '../../cache/near-cache.ts';
import { invalidClient, OAuthError } from '../../oauth/oauth-error.ts';
import {
  type CommandExecutor,
  type GuardedRedis,
  isWrongType,
  RedisUnavailableError,
} from '../../redis/guarded-redis.ts';
import { abbreviate } from '../../text.ts';
import type { Client } from '../client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { decodeRecord, parseStoredRecord } from '../stored-record.ts';
import type { DataLossDetector } from './data-loss.ts';

export interface LoadClientOptions {
  readonly redis: GuardedRedis;
  /** What stands before the `client_id` in the key of a record. */
  readonly prefix: string;
  readonly dataLoss: DataLossDetector;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Reads a client's record from Redis.
 *
 * @throws {RedisUnavailableError} also where it is missing because all records are
 */
export async function loadClient(clientId: string, options: LoadClientOptions): Promise<LoadResult<StoredClient>> {
  const { redis, prefix, dataLoss, policy, now } = options;
  const key = `${prefix}${clientId}`;
  const [found, lifetime] = await Promise.all([getOctets(redis.execute, key), lifetimeOf(redis, key)]);
  if (found !== null && 'wrongType' in found) return invalidClientRecord(found.wrongType);
  if (found !== null) return { ...parseStoredClient(found, clientId, policy, now()), ...lifetime };
  if (!(await dataLoss.hasLostData())) return noClient;
  throw new RedisUnavailableError('the records that were there are gone; write them again: countersign clients apply');
}

/** Redis deletes what has expired when it comes to it, and tells only then. */
async function lifetimeOf({ executeIfPermitted }: GuardedRedis, key: string): Promise<{ readonly lifetime?: number }> {
  const milliseconds = await executeIfPermitted((redis) => redis.pttl(key));
  return milliseconds !== undefined && milliseconds >= 0 ? { lifetime: milliseconds } : {};
}

type Found = Buffer | null | { readonly wrongType: string };

/** As a text, octets that are none would be replaced without a word. */
async function getOctets(ask: CommandExecutor, key: string): Promise<Found> {
  try {
    return await ask((redis) => redis.getBuffer(key));
  } catch (error) {
    if (isWrongType(error)) return { wrongType: error.message };
    throw error;
  }
}

/** Shorter than an absent client is remembered: an answer that came too late is then at hand. */
const RETRY_AFTER_SECONDS = 1;

/**
 * Finds a client among those at hand, or in Redis; undefined where there is none of that name.
 *
 * @param prefix what stands before the `client_id` in the key of a record
 * @throws {OAuthError} 503 where Redis cannot be asked, `invalid_client` where what it holds is no record
 */
export async function findCachedClient(
  clientId: string,
  cache: NearCache<StoredClient>,
  prefix: string,
): Promise<Client | undefined> {
  const key = `${prefix}${clientId}`;
  const stored = await cache.find(clientId).catch((error: unknown) => {
    throw unavailable(key, error);
  });
  if (stored.kind === 'unusable') throw invalidClient(`the value of ${key} is not a client record: ${stored.reason}`);
  return stored.kind === 'client' ? stored.client : undefined;
}

function unavailable(key: string, error: unknown): OAuthError {
  return new OAuthError('temporarily_unavailable', {
    description: 'The server cannot answer at the moment; try again.',
    reason: `Redis cannot be asked for ${key}: ${error instanceof Error ? error.message : error}`,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}

/** What stands under a client's key. */
export type StoredClient =
  | { readonly kind: 'client'; readonly client: Client }
  | { readonly kind: 'none' }
  /** A value that is no sound record of this client. */
  | { readonly kind: 'unusable'; readonly reason: string };

export const noClient: LoadResult<StoredClient> = { kind: 'absent', value: { kind: 'none' }, bytes: 0 };

/** Measured: what the objects of a small record take, and what each octet of a larger one adds. */
const BYTES_OF_CLIENT = 1_500;
const BYTES_OF_OCTET = 2;

/**
 * Reads a record as it stands in the store.
 *
 * @param now milliseconds since the epoch
 */
export function parseStoredClient(
  octets: Uint8Array,
  clientId: string,
  policy: RegistrationPolicy,
  now: number,
): LoadResult<StoredClient> {
  const record = decodeRecord(octets);
  if (typeof record === 'string') return invalidClientRecord(record);
  const read = parseStoredRecord(clientId, record, policy, now);
  if (!read.ok) return invalidClientRecord(read.errors.map(({ field, message }) => `${field} ${message}`).join('; '));
  const bytes = BYTES_OF_CLIENT + BYTES_OF_OCTET * octets.length;
  return { kind: 'present', value: { kind: 'client', client: read.client }, bytes };
}

export function invalidClientRecord(why: string): LoadResult<StoredClient> {
  // It may repeat a good part of the record.
  const reason = abbreviate(why);
  return { kind: 'absent', value: { kind: 'unusable', reason }, bytes: BYTES_OF_OCTET * reason.length };
}
