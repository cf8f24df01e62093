import { type GrantType, grantTypes } from '../oauth/grammar.ts';
import { invalidRequest, OAuthError } from '../oauth/oauth-error.ts';
import { clientCredentials } from './client-credentials.ts';
import type { Authorization, Grant, GrantRequest } from './grant.ts';

const grants: Readonly<Record<GrantType, Grant>> = {
  client_credentials: clientCredentials,
};

/**
 * Authorizes the client with the grant that it requested.
 *
 * @throws {OAuthError} invalid_request, unsupported_grant_type, unauthorized_client, or what the grant throws
 */
export function authorize(request: GrantRequest): Authorization | Promise<Authorization> {
  const requested = request.form.get('grant_type');
  if (requested === undefined) throw invalidRequest('grant_type_missing', 'The parameter grant_type is missing.');
  const grantType = grantTypes.find((name) => name === requested);
  if (grantType === undefined) {
    throw new OAuthError('grant_type_unsupported', {
      description: 'The grant type is not supported.',
      reason: 'grant_type is not one that the server has',
    });
  }
  if (!request.client.grantTypes.includes(grantType)) {
    throw new OAuthError('grant_type_unregistered', {
      description: 'The client may not use this grant type.',
      reason: `the client is not registered for ${grantType}`,
    });
  }
  return grants[grantType](request);
}
