import { OAuthError } from '../../oauth/oauth-error.ts';

/** Shorter than an absent client is cached, so that a late reply answers the retry. */
const RETRY_AFTER_SECONDS = 1;

/** @param what was looked up in Redis, for the operator */
export function lookupFailed(what: string, error: unknown): OAuthError {
  return new OAuthError('temporarily_unavailable', {
    description: 'The server cannot answer at the moment; try again.',
    reason: `failed to load ${what} from Redis: ${error instanceof Error ? error.message : error}`,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}
