import { type AuthenticationDependencies, authenticateRequest } from '../authentication/authenticate-request.ts';
import type { Client } from '../clients/client.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { negotiateMediaType } from '../http/content-negotiation.ts';
import { type ErrorCode, OAuthError, tokenStateErrorStatus } from '../oauth/oauth-error.ts';
import type { AuditedEndpoint, AuditLog } from '../observability/audit.ts';
import { type AccessToken, AccessTokenError } from '../tokens/access-token.ts';
import type { AccessTokenVerifier } from '../tokens/access-token-verifier.ts';
import { activeResponse, inactiveResponse, introspectionResponseClaims } from '../tokens/introspection-response.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import { addToken, ifActive, requireToken } from './presented-token.ts';
import { clientRequest, type ListenerKind } from './request.ts';
import { audited, type Endpoint, noStore, respond } from './respond.ts';

export interface IntrospectionEndpointDependencies extends AuthenticationDependencies {
  readonly issuer: string;
  readonly listensOn: ListenerKind;
  readonly keyring: Pick<Keyring, 'signingKey'>;
  readonly accessTokens: Pick<AccessTokenVerifier, 'verify'>;
  readonly auditLog: AuditLog;
}

const introspectionAudit: AuditedEndpoint = {
  name: 'introspection',
  granted: { event: 'token_introspected', message: 'token introspected: active', outcome: 'active' },
  inactive: { event: 'token_introspected', message: 'token introspected: not active', outcome: 'inactive' },
  rejected: { event: 'introspection_rejected' },
};

const JSON_TYPE = 'application/json';
/** RFC 9701 §4 */
const JWT_TYPE = 'application/token-introspection+jwt';

/**
 * The introspection endpoint (RFC 7662): whether a token is active, and its claims, for its own client and for those that
 * a resource lists.
 */
export function introspectionEndpoint(dependencies: IntrospectionEndpointDependencies): Endpoint {
  const { issuer, listensOn, keyring, accessTokens, registry, auditLog, now } = dependencies;

  return audited(auditLog.forEndpoint(introspectionAudit), tokenStateErrorStatus, async (received, entry, trace) => {
    // 1. to 5. Authenticate the client.
    const request = clientRequest(received, listensOn, now());
    const { client, form } = await authenticateRequest(request, dependencies, entry, trace);
    // 6. Read the token.
    const text = requireToken(form);
    trace.begin('verify_token');
    // 7. Describe it, if it is active and the client may introspect it.
    const active = await ifActive(entry, async () => {
      const { token, key } = await accessTokens.verify(text, now());
      addToken(entry, token);
      entry.kid = key.keyId;
      requireUnexpired(token, now());
      await requireAccess(token, client, registry);
      entry.active = true;
      return activeResponse(text);
    });
    const response = active ?? inactiveResponse;
    // 8. Respond with JSON, or with a JWT for this client.
    const type = negotiateMediaType(received.fields.combined('accept'), [JSON_TYPE, JWT_TYPE]);
    if (type === JSON_TYPE) return respond(response);
    const claims = introspectionResponseClaims(issuer, client.clientId, response, now());
    return respondWithJwt(await keyring.signingKey().signIntrospectionResponse(claims));
  });
}

function respondWithJwt(jwt: string): Response {
  return new Response(jwt, { status: 200, headers: { 'content-type': JWT_TYPE, ...noStore } });
}

/** The verifier allows for clocks that differ. An active response never has an `exp` that has passed. */
function requireUnexpired({ expiresAt }: AccessToken, now: number): void {
  if (now / 1000 >= expiresAt)
    throw new AccessTokenError('token_expired', `expired at ${new Date(expiresAt * 1000).toISOString()}`);
}

/**
 * Requires that the client of the token still exists and is enabled, and that the caller is that client or one that a
 * resource of the token lists. Both are looked up in any case, so that the time of the answer shows neither.
 *
 * @throws {AccessTokenError}, or {OAuthError} temporarily_unavailable
 */
async function requireAccess(token: AccessToken, caller: Client, registry: Registry): Promise<void> {
  const isOwn = token.clientId === caller.clientId;
  const [client, denial] = await Promise.all([
    isOwn ? caller : unlessInvalid('invalid_client', registry.find(token.clientId)),
    isOwn ? undefined : findDenial(token, caller, registry),
  ]);
  if (denial !== undefined) throw new AccessTokenError('introspection_unregistered', denial);
  if (client === undefined) throw new AccessTokenError('token_client_unknown', 'its client is not registered any more');
  if ('invalid' in client) throw new AccessTokenError('token_client_record_invalid', client.invalid);
  if (!client.enabled) throw new AccessTokenError('token_client_disabled', 'its client is disabled');
}

/** Why no resource that the token is for lists the caller (RFC 7662 §2.1); undefined if one does. */
async function findDenial(token: AccessToken, { clientId }: Client, registry: Registry): Promise<string | undefined> {
  const found = await Promise.all(
    token.audience.map((each) => unlessInvalid('invalid_target', registry.findResourcesByAudience(each))),
  );
  const resources = found.flatMap((each) => ('invalid' in each ? [] : each));
  if (resources.some(({ introspectionClients }) => introspectionClients.includes(clientId))) return undefined;
  const invalid = found.flatMap((each) => ('invalid' in each ? [each.invalid] : []));
  return [`no resource of its aud lists ${JSON.stringify(clientId)} for introspection`, ...invalid].join('; ');
}

/** The reason why a record is not valid. Such a record permits nothing. */
interface Invalid {
  readonly invalid: string;
}

async function unlessInvalid<Found>(code: ErrorCode, lookup: Promise<Found>): Promise<Found | Invalid> {
  try {
    return await lookup;
  } catch (error) {
    if (error instanceof OAuthError && error.error === code) return { invalid: error.reason };
    throw error;
  }
}
