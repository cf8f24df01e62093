import { type AuthenticationDependencies, authenticateRequest } from '../authentication/authenticate-request.ts';
import type { Client } from '../clients/client.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { negotiateMediaType } from '../http/content-negotiation.ts';
import { type ErrorCode, OAuthError, tokenStateErrorStatus } from '../oauth/oauth-error.ts';
import type { AuditedEndpoint, AuditLog } from '../observability/audit.ts';
import type { Resource } from '../resources/resource.ts';
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

  return audited(auditLog.forEndpoint(introspectionAudit), tokenStateErrorStatus, async (received, entry) => {
    // 1. to 5. Authenticate the client.
    const request = clientRequest(received, listensOn, now());
    const { client, form } = await authenticateRequest(request, dependencies, entry);
    // 6. Read the token.
    const text = requireToken(form);
    // 7. Describe it, if it is active and the client may introspect it.
    const active = await ifActive(entry, async () => {
      const { token, key } = await accessTokens.verify(text, now());
      addToken(entry, token);
      entry.kid = key.keyId;
      await requireAccess(token, client, registry);
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

/**
 * Requires that the client of the token still exists and is enabled, and that the caller is that client or one that a
 * resource of the token lists. Both are looked up in any case, so that the time of the answer shows neither.
 *
 * @throws {AccessTokenError} or {OAuthError} temporarily_unavailable
 */
async function requireAccess(token: AccessToken, caller: Client, registry: Registry): Promise<void> {
  const isOwn = token.clientId === caller.clientId;
  const [client, resources] = await Promise.all([
    isOwn ? caller : findClient(token.clientId, registry),
    isOwn ? [] : findResources(token.audience, registry),
  ]);
  if (!isOwn && !resources.some(({ introspectionClients }) => introspectionClients.includes(caller.clientId)))
    throw new AccessTokenError(`no resource of its aud lists ${JSON.stringify(caller.clientId)} for introspection`);
  if (!client) throw new AccessTokenError('its client is not registered any more');
  if (!client.enabled) throw new AccessTokenError('its client is disabled');
}

async function findClient(clientId: string, registry: Registry): Promise<Client | undefined> {
  return unlessInvalid('invalid_client', () => registry.find(clientId));
}

/** The resources that the token is for. */
async function findResources(audience: AccessToken['audience'], registry: Registry): Promise<readonly Resource[]> {
  const found = await Promise.all(
    audience.map((each) => unlessInvalid('invalid_target', () => registry.findResourcesByAudience(each))),
  );
  return found.flat();
}

/** A record that is not valid permits nothing: the token is not active because of it. */
async function unlessInvalid<Found>(code: ErrorCode, find: () => Promise<Found>): Promise<Found> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof OAuthError && error.code === code) throw new AccessTokenError(error.reason);
    throw error;
  }
}
