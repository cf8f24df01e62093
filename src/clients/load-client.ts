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
  const [text, lifetime] = await Promise.all([getText(questions.ask, key), lifetimeOf(questions, key)]);
  if (typeof text === 'object' && text !== null) return unusable(text.wrongType);
  if (text !== null) return { ...readStoredClient(text, clientId, policy, now()), ...lifetime };
  if (!(await lost.areLost())) return noClient;
  throw new RedisUnavailableError('the records that were there are gone; write them again: countersign clients apply');
}

/** Redis deletes what has expired when it comes to it, and tells only then. */
async function lifetimeOf({ askIfAllowed }: RedisQuestions, key: string): Promise<{ readonly lifetime?: number }> {
  const milliseconds = await askIfAllowed((redis) => redis.pttl(key));
  return milliseconds !== undefined && milliseconds >= 0 ? { lifetime: milliseconds } : {};
}

type Found = string | null | { readonly wrongType: string };

async function getText(ask: AskRedis, key: string): Promise<Found> {
  try {
    return await ask((redis) => redis.get(key));
  } catch (error) {
    if (isWrongType(error)) return { wrongType: error.message };
    throw error;
  }
}
