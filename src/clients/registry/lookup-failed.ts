import { type OAuthError, temporarilyUnavailable } from '../../oauth/oauth-error.ts';

/** Shorter than an absent client is cached, so that a late reply answers the retry. */
const RETRY_AFTER_SECONDS = 1;

/** @param what was looked up in Redis, for the operator */
export function lookupFailed(what: string, error: unknown): OAuthError {
  const reason = `failed to load ${what} from Redis: ${error instanceof Error ? error.message : error}`;
  return temporarilyUnavailable('redis_unavailable', reason, RETRY_AFTER_SECONDS);
}
