import type { HttpRequest } from '../http/received-request.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import { respondWithError } from './respond.ts';

/**
 * The authorization endpoint (RFC 6749 §3.1), which OpenID Connect Discovery requires. No client may use it: every
 * request is rejected. It never redirects, since no client has a registered redirection URI (RFC 6749 §4.1.2.1).
 */
export function authorizeEndpoint(request: HttpRequest): Response {
  const description =
    'No client may use this endpoint. Request a token from the token endpoint with client_credentials.';
  return respondWithError(
    request,
    new OAuthError('authorization_endpoint_unused', { description, reason: description }),
  );
}
