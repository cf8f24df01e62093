import type { AccessToken } from '../access-token.ts';

/** The revoked tokens, as far as this replica knows them. */
export interface TokenRevocations {
  /**
   * Why a token is revoked, as the message of an `AccessTokenError`; undefined if it is not. A promise only if Redis has to
   * be asked for this token.
   *
   * @throws {OAuthError} temporarily_unavailable if it is unknown whether the token is revoked
   */
  check(token: AccessToken): string | undefined | Promise<string | undefined>;
  /**
   * Revokes one token. Resolves once the revocation is stored in Redis, from where every replica learns of it.
   *
   * @throws {OAuthError} temporarily_unavailable if it is not certain that it is stored
   */
  revoke(token: AccessToken): Promise<void>;
  close(): Promise<void>;
}
