import { type AuthenticationDependencies, authenticateRequest } from '../authentication/authenticate-request.ts';
import type { Client } from '../clients/client.ts';
import { OAuthError, tokenStateErrorStatus } from '../oauth/oauth-error.ts';
import type { AuditedEndpoint, AuditLog } from '../observability/audit.ts';
import { type AccessToken, AccessTokenError } from '../tokens/access-token.ts';
import type { AccessTokenVerifier } from '../tokens/access-token-verifier.ts';
import { MAX_CLOCK_DIFFERENCE_SECONDS } from '../tokens/revocation/revocation.ts';
import type { TokenRevocations } from '../tokens/revocation/token-revocations.ts';
import { addToken, ifActive, requireToken } from './presented-token.ts';
import { clientRequest, type ListenerKind } from './request.ts';
import { audited, type Endpoint, noStore } from './respond.ts';

export interface RevocationEndpointDependencies extends AuthenticationDependencies {
  readonly listensOn: ListenerKind;
  readonly accessTokens: Pick<AccessTokenVerifier, 'verify'>;
  readonly revocations: Pick<TokenRevocations, 'revoke'>;
  readonly auditLog: AuditLog;
}

const revocationAudit: AuditedEndpoint = {
  name: 'revocation',
  granted: { event: 'token_revoked', message: 'token revoked', outcome: 'revoked' },
  inactive: { event: 'revocation_ignored', message: 'no token revoked: it is not active', outcome: 'ignored' },
  rejected: { event: 'revocation_rejected' },
};

/** The revocation endpoint (RFC 7009): a client revokes a token of its own. */
export function revocationEndpoint(dependencies: RevocationEndpointDependencies): Endpoint {
  const { listensOn, accessTokens, revocations, auditLog, now } = dependencies;

  const verifyToken = async (text: string, client: Client): Promise<AccessToken> => {
    try {
      return (await accessTokens.verify(text, now())).token;
    } catch (error) {
      if (error instanceof AccessTokenError && isRevocable(error.token, client, now())) return error.token;
      throw error;
    }
  };

  return audited(auditLog.forEndpoint(revocationAudit), tokenStateErrorStatus, async (received, entry, trace) => {
    // 1. to 5. Authenticate the client.
    const request = clientRequest(received, listensOn, now());
    const { client, form } = await authenticateRequest(request, dependencies, entry, trace);
    // 6. Read the token.
    const text = requireToken(form);
    trace.begin('revoke_token');
    // 7. Revoke it, unless it is not active: that is what the client wants (RFC 7009 §2.2).
    await ifActive(entry, async () => {
      const token = await verifyToken(text, client);
      addToken(entry, token);
      requireOwn(token, client);
      await revocations.revoke(token);
    });
    // 8. Respond. The client only needs the status (RFC 7009 §2.2).
    return new Response(null, { status: 200, headers: noStore });
  });
}

/**
 * Whether a token is revoked although it is not active here: another replica may accept it, either by its clock, or
 * because an earlier revocation failed after a part of it was stored.
 */
function isRevocable(token: AccessToken | undefined, { clientId }: Client, now: number): token is AccessToken {
  return token?.clientId === clientId && now / 1000 < token.expiresAt + MAX_CLOCK_DIFFERENCE_SECONDS;
}

/** RFC 7009 §2.1 */
function requireOwn({ clientId }: AccessToken, client: Client): void {
  if (clientId === client.clientId) return;
  throw new OAuthError('token_of_other_client', {
    description: 'The token was issued to another client.',
    reason: `the token was issued to ${JSON.stringify(clientId)}`,
  });
}
