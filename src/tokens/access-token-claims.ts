import type { Client } from '../clients/client.ts';
import type { Authorization } from '../grants/grant.ts';
import { invalidClient } from '../oauth/oauth-error.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import { newUuid } from '../text.ts';

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
 * @throws {OAuthError} invalid_client if the certificate is valid for less than a second more
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
    aud: audienceClaim(audience, issuer),
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
function audienceClaim(audience: readonly string[], issuer: string): string | readonly string[] {
  return audience.length > 1 ? audience : (audience[0] ?? issuer);
}

function scopeClaim(scope: readonly string[], form: Client['scopeClaim']): string | readonly string[] | undefined {
  if (scope.length === 0) return undefined;
  return form === 'array' ? scope : scope.join(' ');
}
