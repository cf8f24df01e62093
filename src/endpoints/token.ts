import { type AuthenticationDependencies, authenticateRequest } from '../authentication/authenticate-request.ts';
import { authorize } from '../grants/grants.ts';
import type { TokenRates } from '../grants/token-rates.ts';
import { errorStatus } from '../oauth/oauth-error.ts';
import type { AuditedEndpoint, AuditLog } from '../observability/audit.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import { createTimeFormatter } from '../observability/time-formatter.ts';
import { type AccessTokenClaims, accessTokenClaims } from '../tokens/access-token-claims.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import { requiredAlgorithm } from '../tokens/required-algorithm.ts';
import { clientRequest, type ListenerKind } from './request.ts';
import { audited, type Endpoint, respond } from './respond.ts';

export interface TokenEndpointDependencies extends AuthenticationDependencies {
  readonly issuer: string;
  readonly listensOn: ListenerKind;
  readonly keyring: Keyring;
  readonly tokenRates: TokenRates;
  readonly auditLog: AuditLog;
}

const tokenAudit: AuditedEndpoint = {
  name: 'token',
  granted: { event: 'token_issued', message: 'token issued', outcome: 'issued' },
  rejected: { event: 'token_rejected' },
};

/** The token endpoint (RFC 6749 §3.2): from the request to a certificate-bound access token (RFC 8705 §3). */
export function tokenEndpoint(dependencies: TokenEndpointDependencies): Endpoint {
  const { issuer, listensOn, registry, keyring, tokenRates, auditLog, now } = dependencies;

  return audited(auditLog.forEndpoint(tokenAudit), errorStatus, async (received, entry, trace) => {
    // 1. to 5. Authenticate the client.
    const request = clientRequest(received, listensOn, now());
    const { client, sub, certificate, form } = await authenticateRequest(request, dependencies, entry, trace);
    // 6. Authorize.
    trace.begin('authorize');
    const authorization = await authorize({ client, sub, form, now: now() });
    tokenRates.take(client, now());
    // 7. Issue.
    trace.begin('sign_token');
    const claims = accessTokenClaims(issuer, client, authorization, certificate, now());
    const hasChoice = keyring.algorithms.length > 1;
    const signingKey = keyring.signingKey(hasChoice ? await requiredAlgorithm(claims.aud, registry) : undefined);
    addClaims(entry, claims, signingKey.keyId);
    const accessToken = await signingKey.sign(claims);
    // 8. Respond.
    return respond({
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: claims.exp - claims.iat,
      scope: authorization.scope.join(' ') || undefined,
    });
  });
}

function addClaims(entry: AuditEntry, claims: AccessTokenClaims, keyId: string): void {
  const { client_id: clientId, sub, scope, aud, jti, exp } = claims;
  if (sub !== clientId) entry.sub = sub;
  if (scope !== undefined) entry.scope = typeof scope === 'string' ? scope : scope.join(' ');
  entry.audience = typeof aud === 'string' ? [aud] : aud;
  entry.jti = jti;
  entry.kid = keyId;
  entry.expires_at = formatExpiry(exp * 1000);
}

const formatExpiry = createTimeFormatter();
