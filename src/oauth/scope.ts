import { OAuthError } from './oauth-error.ts';

/** Our own limit: RFC 6749 sets none. */
export const MAX_SCOPE_TOKEN_LENGTH = 256;

/** `scope-token` of RFC 6749 §3.3. */
export function isScopeToken(text: string): boolean {
  return text.length <= MAX_SCOPE_TOKEN_LENGTH && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);
}

/**
 * The scope to grant: the requested one, or everything registered if none was requested (RFC 6749 §3.3).
 *
 * @param requested the `scope` parameter
 * @param registered the scope tokens that the client may request
 * @throws {OAuthError} invalid_scope if a token is malformed or not registered
 */
export function grantScope(requested: string | undefined, registered: readonly string[]): readonly string[] {
  if (requested === undefined) return registered;
  const tokens = new Set(requested.split(' '));
  for (const token of tokens) {
    if (!isScopeToken(token)) throw invalidScope('the scope parameter is not a list of scope tokens');
    if (!registered.includes(token)) throw invalidScope(`the client is not registered for scope "${token}"`);
  }
  return [...tokens];
}

function invalidScope(reason: string): OAuthError {
  return new OAuthError('invalid_scope', {
    description: 'The requested scope is malformed or exceeds what the client may have.',
    reason,
  });
}
