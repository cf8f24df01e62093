import type { AccessToken } from '../access-token.ts';

/** What decides whether a token is revoked. */
export type RevocableToken = Pick<AccessToken, 'tokenId' | 'clientId' | 'audience' | 'issuedAt'>;

/** The revoked tokens, as far as this replica knows them. */
export interface TokenRevocations {
  /**
   * Why a token is revoked, as the message of an `AccessTokenError`; undefined if it is not. A promise only if Redis has to
   * be asked for this token.
   *
   * @throws {OAuthError} temporarily_unavailable if it is unknown whether the token is revoked
   */
  check(token: RevocableToken): string | undefined | Promise<string | undefined>;
  /** As {@link check}, but without Redis: undefined if no revocation of the token is known here. */
  findKnown(token: RevocableToken): string | undefined;
  /**
   * Revokes one token. Resolves once the revocation is stored in Redis, from where every replica learns of it.
   *
   * @throws {OAuthError} temporarily_unavailable if it is not certain that it is stored
   */
  revoke(token: AccessToken): Promise<void>;
  close(): Promise<void>;
}
