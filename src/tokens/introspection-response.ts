import type { IntrospectionResponseClaims } from './signing-key.ts';
import { decodeSegments } from './verify-access-token.ts';

/** What introspection answers about a token (RFC 7662 §2.2). */
export interface IntrospectionResponse {
  readonly active: boolean;
  readonly [claim: string]: unknown;
}

/** The whole answer about a token that is not active, or that the caller may not introspect: there is no other member. */
export const inactiveResponse: IntrospectionResponse = { active: false };

/**
 * Describes an active token by all of its claims. Their names are those of the members of the response (RFC 7662 §2.2,
 * RFC 8705 §3.2), but `scope` may be a list in a token, and additional claims may be called like a member.
 *
 * @param token verified
 */
export function activeResponse(token: string): IntrospectionResponse {
  const [, payload] = decodeSegments(token);
  // Safe: the payload of a verified token is a JSON object.
  const claims = JSON.parse(payload) as Record<string, unknown>;
  const { scope } = claims;
  return {
    ...claims,
    active: true,
    token_type: 'Bearer',
    ...(Array.isArray(scope) && { scope: scope.join(' ') }),
  };
}

/**
 * The claims of an introspection response as a JWT (RFC 9701 §5). It is meant for its caller alone.
 *
 * @param caller its `client_id`
 * @param now milliseconds since the epoch
 */
export function introspectionResponseClaims(
  issuer: string,
  caller: string,
  response: IntrospectionResponse,
  now: number,
): IntrospectionResponseClaims {
  return { iss: issuer, aud: caller, iat: Math.floor(now / 1000), token_introspection: response };
}
