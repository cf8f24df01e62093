import type { Answer, NearCache } from '../../cache/near-cache.ts';
import { invalidClient, OAuthError } from '../../oauth/oauth-error.ts';
import { type AskRedis, isWrongType, type RedisQuestions, RedisUnavailableError } from '../../redis/guarded-redis.ts';
import { abbreviate } from '../../text.ts';
import type { Client } from '../client.ts';
import type { RegistrationPolicy } from '../diagnostics.ts';
import { judgeRecord, recordInValue } from '../stored-record.ts';
import type { LostRecords } from './data-loss.ts';

export interface LoadClientOptions {
  readonly questions: RedisQuestions;
  /** What stands before the `client_id` in the key of a record. */
  readonly prefix: string;
  readonly lost: LostRecords;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Reads a client's record from Redis.
 *
 * @throws {RedisUnavailableError} also where it is missing because all records are
 */
export async function loadClient(clientId: string, options: LoadClientOptions): Promise<Answer<StoredClient>> {
  const { questions, prefix, lost, policy, now } = options;
  const key = `${prefix}${clientId}`;
  const [found, lifetime] = await Promise.all([getOctets(questions.ask, key), lifetimeOf(questions, key)]);
  if (found !== null && 'wrongType' in found) return unusable(found.wrongType);
  if (found !== null) return { ...readStoredClient(found, clientId, policy, now()), ...lifetime };
  if (!(await lost.areLost())) return noClient;
  throw new RedisUnavailableError('the records that were there are gone; write them again: countersign clients apply');
}

/** Redis deletes what has expired when it comes to it, and tells only then. */
async function lifetimeOf({ askIfAllowed }: RedisQuestions, key: string): Promise<{ readonly lifetime?: number }> {
  const milliseconds = await askIfAllowed((redis) => redis.pttl(key));
  return milliseconds !== undefined && milliseconds >= 0 ? { lifetime: milliseconds } : {};
}

type Found = Buffer | null | { readonly wrongType: string };

/** As a text, octets that are none would be replaced without a word. */
async function getOctets(ask: AskRedis, key: string): Promise<Found> {
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
export async function findRemembered(
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

export const noClient: Answer<StoredClient> = { kind: 'absent', value: { kind: 'none' }, bytes: 0 };

/** Measured: what the objects of a small record take, and what each octet of a larger one adds. */
const BYTES_OF_CLIENT = 1_500;
const BYTES_OF_OCTET = 2;

/**
 * Reads a record as it stands in the store.
 *
 * @param now milliseconds since the epoch
 */
export function readStoredClient(
  octets: Uint8Array,
  clientId: string,
  policy: RegistrationPolicy,
  now: number,
): Answer<StoredClient> {
  const record = recordInValue(octets);
  if (typeof record === 'string') return unusable(record);
  const read = judgeRecord(clientId, record, policy, now);
  if (!read.ok) return unusable(read.faults.map(({ field, message }) => `${field} ${message}`).join('; '));
  const bytes = BYTES_OF_CLIENT + BYTES_OF_OCTET * octets.length;
  return { kind: 'present', value: { kind: 'client', client: read.client }, bytes };
}

export function unusable(why: string): Answer<StoredClient> {
  // It may repeat a good part of the record.
  const reason = abbreviate(why);
  return { kind: 'absent', value: { kind: 'unusable', reason }, bytes: BYTES_OF_OCTET * reason.length };
}
