import type { Client, GrantType } from '../clients/client.ts';
import type { Form } from '../oauth/form.ts';
import { invalidRequest, OAuthError } from '../oauth/oauth-error.ts';
import { clientCredentials } from './client-credentials.ts';
import type { Authorization, Grant } from './grant.ts';

/** Every grant type that `grant_type` may name; the metadata document lists this table. */
export const grants: Readonly<Record<GrantType, Grant>> = {
  client_credentials: clientCredentials,
};

/**
 * Decides what the client gets, by the grant type that it asked for.
 *
 * @throws {OAuthError} invalid_request, unsupported_grant_type, unauthorized_client, or what the grant throws
 */
export function authorize(client: Client, form: Form): Authorization {
  const grantType = form.get('grant_type');
  if (grantType === undefined) throw invalidRequest('The parameter grant_type is missing.');
  if (!isGrantType(grantType)) {
    const description = 'The grant type is not supported.';
    throw new OAuthError('unsupported_grant_type', {
      description,
      reason: 'grant_type is not one that the server has',
    });
  }
  if (!client.grantTypes.includes(grantType)) {
    const description = 'The client may not use this grant type.';
    throw new OAuthError('unauthorized_client', {
      description,
      reason: `the client is not registered for ${grantType}`,
    });
  }
  return grants[grantType](client, form);
}

function isGrantType(text: string): text is GrantType {
  return Object.hasOwn(grants, text);
}
