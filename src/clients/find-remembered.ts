import type { NearCache } from '../cache/near-cache.ts';
import { invalidClient, OAuthError } from '../oauth/oauth-error.ts';
import type { Client } from './client.ts';
import type { StoredClient } from './stored-client.ts';

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
