import { grantScope } from '../oauth/scope.ts';
import type { Grant } from './grant.ts';
import { resolveTarget } from './target.ts';

/** The client acts for itself (RFC 6749 §4.4), so it is the token's subject as well (RFC 9068 §2.2). */
export const clientCredentials: Grant = (client, form) => {
  const requestedScope = form.get('scope');
  const scope = grantScope(requestedScope, client.scopes);
  const target = resolveTarget(client, scope, requestedScope !== undefined, form.all('resource'));
  return {
    clientId: client.clientId,
    sub: client.clientId,
    scope: target.scope,
    audience: target.audience,
    lifetimeSeconds: client.accessTokenLifetimeSeconds,
  };
};
