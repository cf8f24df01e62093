import { hash } from 'node:crypto';
import { type Bounds, createBoundedCache } from '../cache/bounded-cache.ts';
import { type AccessToken, AccessTokenError } from './access-token.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { TokenRevocations } from './revocation/token-revocations.ts';
import { type SignedAccessToken, verifyAccessToken } from './verify-access-token.ts';

export interface AccessTokenVerifier {
  /**
   * Verifies the signature, the claims and the lifetime of an access token of this server, and that it is not revoked.
   *
   * @param now milliseconds since the epoch
   * @returns the same object for as long as the token is cached, and then as a promise only if Redis has to be asked
   *   whether it is revoked
   * @throws {AccessTokenError}, or {OAuthError} temporarily_unavailable if it is unknown whether the token is revoked, or
   *   which keys are ours
   */
  verify(token: string, now: number): VerifiedAccessToken | Promise<VerifiedAccessToken>;
  /** For the metrics. */
  readonly size: Bounds;
}

export interface VerifiedAccessToken extends SignedAccessToken {
  /** SHA-256 of the serialization, base64. */
  readonly digest: string;
}

interface AccessTokenVerifierOptions {
  readonly issuer: string;
  /** A token of a key that is no longer published is rejected, cached or not. */
  readonly keyring: Pick<Keyring, 'find'>;
  /** Undefined if tokens cannot be revoked. */
  readonly revocations: Pick<TokenRevocations, 'check'> | undefined;
  readonly bounds?: Bounds;
}

const BOUNDS: Bounds = { entries: 50_000, bytes: 64 * 1024 * 1024 };
/** Measured: the heap size of an entry, in addition to 0.75 bytes for each character of the token. */
const ENTRY_BYTES = 600;

/**
 * Creates a verifier with a cache of verified tokens, keyed by their SHA-256. A cached token costs no signature
 * verification; its lifetime, its key and its revocation are checked on every call.
 */
export function createAccessTokenVerifier(options: AccessTokenVerifierOptions): AccessTokenVerifier {
  const { issuer, keyring, revocations, bounds = BOUNDS } = options;
  const cache = createBoundedCache<VerifiedAccessToken>(bounds);
  /** A client's first requests may arrive together. */
  const pending = new Map<string, Promise<VerifiedAccessToken>>();
  const verifySignature = async (digest: string, text: string) => {
    try {
      return { digest, ...(await verifyAccessToken(text, issuer, keyring.find)) };
    } finally {
      pending.delete(digest);
    }
  };
  const verifyAndStore = async (digest: string, text: string, now: number) => {
    const verification = pending.get(digest) ?? verifySignature(digest, text);
    pending.set(digest, verification);
    const verified = await verification;
    requireCurrent(verified.token, now);
    cache.set(digest, verified, ENTRY_BYTES + text.length);
    return requireUnrevoked(verified, revocations);
  };
  return {
    verify: (text, now) => {
      const digest = hash('sha256', text, 'base64');
      const cached = cache.get(digest);
      // Its key may have been replaced, or may no longer be used.
      if (cached === undefined || keyring.find(cached.key.keyId) !== cached.key)
        return verifyAndStore(digest, text, now);
      requireCurrent(cached.token, now);
      return requireUnrevoked(cached, revocations);
    },
    get size() {
      return { entries: cache.entries, bytes: cache.bytes };
    },
  };
}

/** The clocks of replicas differ (RFC 7519 §4.1.4, §4.1.5). */
const LEEWAY_SECONDS = 5;

function requireCurrent(token: AccessToken, now: number): void {
  const { expiresAt, notBefore = 0 } = token;
  const seconds = now / 1000;
  if (seconds >= expiresAt + LEEWAY_SECONDS)
    throw new AccessTokenError('token_expired', `expired at ${timeOf(expiresAt)}`, token);
  if (seconds < notBefore - LEEWAY_SECONDS)
    throw new AccessTokenError('token_not_yet_valid', `is not valid before ${timeOf(notBefore)}`, token);
}

function requireUnrevoked(
  verified: VerifiedAccessToken,
  revocations: AccessTokenVerifierOptions['revocations'],
): VerifiedAccessToken | Promise<VerifiedAccessToken> {
  const { token } = verified;
  const reason = revocations?.check(token);
  if (reason === undefined) return verified;
  if (typeof reason === 'string') throw new AccessTokenError('token_revoked', reason, token);
  return reason.then((found) => {
    if (found === undefined) return verified;
    throw new AccessTokenError('token_revoked', found, token);
  });
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
