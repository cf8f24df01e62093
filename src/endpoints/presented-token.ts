import type { Form } from '../oauth/form.ts';
import { invalidRequest } from '../oauth/oauth-error.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import { createTimeFormatter } from '../observability/time-formatter.ts';
import { type AccessToken, AccessTokenError } from '../tokens/access-token.ts';

/**
 * Reads the token that a request is about (RFC 7662 §2.1, RFC 7009 §2.1). Its `token_type_hint` may have any value: there
 * are only access tokens.
 *
 * @throws {OAuthError} invalid_request
 */
export function requireToken(form: Form): string {
  const token = form.get('token');
  if (token === undefined) throw invalidRequest('token_missing', 'The request has no token.');
  return token;
}

/**
 * Runs steps that require an active token.
 *
 * @param entry gets the reason why the token is not active
 * @returns undefined if it is not
 */
export async function ifActive<Result>(entry: AuditEntry, steps: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await steps();
  } catch (error) {
    if (!(error instanceof AccessTokenError)) throw error;
    entry.active = false;
    entry.code = error.code;
    entry.reason = `the token: ${error.message}`;
    if (error.token) addToken(entry, error.token);
    return undefined;
  }
}

/** Adds what identifies the token, whose signature is verified. */
export function addToken(entry: AuditEntry, { clientId, tokenId, expiresAt }: AccessToken): void {
  if (clientId !== entry.client_id) entry.token_client_id = clientId;
  entry.jti = tokenId;
  entry.expires_at = formatExpiry(expiresAt * 1000);
}

const formatExpiry = createTimeFormatter();
