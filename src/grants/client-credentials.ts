import { grantScope } from '../oauth/scope.ts';
import type { Grant } from './grant.ts';
import { resolveTarget } from './target.ts';

/** The client acts on its own behalf (RFC 6749 §4.4), so it is also the token's subject (RFC 9068 §2.2). */
export const clientCredentials: Grant = ({ client, form }) => {
  const requestedScope = form.get('scope');
  const scope = grantScope(requestedScope, client.scopes);
  const target = resolveTarget(client, scope, requestedScope !== undefined, form.all('resource'));
  return {
    sub: client.clientId,
    scope: target.scope,
    audience: target.audience,
    lifetimeSeconds: client.accessTokenLifetimeSeconds,
  };
};
