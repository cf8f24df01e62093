import type { Client } from '../clients/client.ts';
import type { Authorization } from '../grants/grant.ts';
import { canonicalUri } from '../oauth/canonical-uri.ts';
import { invalidClient, OAuthError } from '../oauth/oauth-error.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import { newUuid } from '../uuid.ts';

/** The claims of an access token (RFC 9068 §2.2), with the confirmation of RFC 8705 §3.1. */
export interface AccessTokenClaims {
  readonly [name: string]: unknown;
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly client_id: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly jti: string;
  readonly scope: string | readonly string[] | undefined;
  /** Undefined only for a token that the edge mints for a resource whose record permits that. */
  readonly cnf: { readonly 'x5t#S256': string } | undefined;
}

/**
 * Builds the claims of one access token. It expires with the certificate at the latest, so that a token that is not bound
 * to the certificate cannot outlive it either.
 *
 * @param certificate the one that authenticated the client; the token is bound to it
 * @param now milliseconds since the epoch
 * @throws {OAuthError} invalid_client if the certificate is valid for less than a second more; invalid_target if the token
 *   would be for the issuer, which is isolated
 */
export function accessTokenClaims(
  issuer: string,
  client: Client,
  authorization: Authorization,
  certificate: ClientCertificate,
  now: number,
): AccessTokenClaims {
  const iat = Math.floor(now / 1000);
  const { sub, scope, audience, lifetimeSeconds } = authorization;
  const exp = Math.min(iat + lifetimeSeconds, Math.floor(certificate.notAfter / 1000));
  if (exp <= iat) throw invalidClient('certificate_expiring', tooLateReason(certificate));
  return {
    ...client.claims,
    iss: issuer,
    sub,
    aud: audienceClaim(audience, issuer, client),
    client_id: client.clientId,
    iat,
    nbf: iat,
    exp,
    jti: newUuid(),
    scope: scopeClaim(scope, client.scopeClaim),
    cnf: { 'x5t#S256': certificate.thumbprint },
  };
}

/**
 * A certificate is valid during all of its last second (RFC 5280 §4.1.2.5), and a token is not valid at its `exp`
 * (RFC 7519 §4.1.4), so that second is too late for a token.
 */
function tooLateReason({ notAfter }: ClientCertificate): string {
  return `the certificate expires at ${new Date(notAfter).toISOString()}, too soon for a token`;
}

/** RFC 9068 §3 requires an audience. If none is registered, it is the issuer. */
function audienceClaim(audience: readonly string[], issuer: string, client: Client): string | readonly string[] {
  if (audience.length > 1) return audience;
  return audience[0] ?? defaultAudience(issuer, client);
}

function defaultAudience(issuer: string, { audience: { resources } }: Client): string {
  // Most clients have none, and the canonical form takes as long as the rest of the claims.
  if (resources.size === 0) return issuer;
  const registered = resources.get(canonicalUri(issuer));
  if (!registered?.isIsolated) return issuer;
  throw new OAuthError('resource_isolated', {
    description: 'The request has to name the resource that the token is for.',
    reason: `the request names no resource, and "${registered.audience}", the issuer, is isolated: it is no default`,
  });
}

function scopeClaim(scope: readonly string[], form: Client['scopeClaim']): string | readonly string[] | undefined {
  if (scope.length === 0) return undefined;
  return form === 'array' ? scope : scope.join(' ');
}
