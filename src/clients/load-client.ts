import type { Answer } from '../cache/near-cache.ts';
import { type AskRedis, isWrongType, type RedisQuestions, RedisUnavailableError } from '../redis/ask-redis.ts';
import type { RegistrationPolicy } from './findings.ts';
import type { LostRecords } from './lost-records.ts';
import { noClient, readStoredClient, type StoredClient, unusable } from './stored-client.ts';

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
