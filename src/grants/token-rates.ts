import { createBoundedCache } from '../cache/bounded-cache.ts';
import type { Client } from '../clients/client.ts';
import type { TokenRate } from '../clients/token-rate.ts';
import { OAuthError } from '../oauth/oauth-error.ts';

/** The tokens that a client may still obtain, at a time: a token bucket. */
interface Bucket {
  tokens: number;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Evicting a bucket fills it, so there is room for those of all clients. */
const BOUNDS = { entries: 100_000, bytes: 32 * 1024 * 1024 };
const BYTES_PER_BUCKET = 200;

/** Limits the tokens that this replica issues to each client whose record has a `token_rate`. */
export class TokenRates {
  readonly #buckets = createBoundedCache<Bucket>(BOUNDS);

  /**
   * Takes a token of the client's rate.
   *
   * @param client authenticated: otherwise others could use up its rate
   * @param now milliseconds since the epoch
   * @throws {OAuthError} token_rate_exceeded
   */
  take({ clientId, tokenRate }: Pick<Client, 'clientId' | 'tokenRate'>, now: number): void {
    if (!tokenRate) return;
    const bucket = this.#refilled(clientId, tokenRate, now);
    if (bucket.tokens < 1) throw exceeded(tokenRate, bucket);
    bucket.tokens -= 1;
  }

  /** The record may have got another rate meanwhile, and the clock may have been set back. */
  #refilled(clientId: string, { tokens, periodMilliseconds }: TokenRate, now: number): Bucket {
    const known = this.#buckets.get(clientId);
    if (!known) {
      const full = { tokens, at: now };
      this.#buckets.set(clientId, full, BYTES_PER_BUCKET + clientId.length);
      return full;
    }
    const refill = (Math.max(0, now - known.at) * tokens) / periodMilliseconds;
    known.tokens = Math.min(tokens, known.tokens + refill);
    known.at = now;
    return known;
  }
}

function exceeded({ tokens, periodMilliseconds }: TokenRate, bucket: Bucket): OAuthError {
  const seconds = Math.ceil(((1 - bucket.tokens) * periodMilliseconds) / tokens / 1_000);
  return new OAuthError('token_rate_exceeded', {
    description: 'The client has obtained too many tokens; use them until they expire, or try again later.',
    reason: `the client may obtain ${tokens} tokens in ${periodMilliseconds / 1_000} s from this replica (token_rate)`,
    headers: { 'retry-after': String(Math.max(1, seconds)) },
  });
}
