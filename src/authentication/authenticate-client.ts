import type { Client } from '../clients/client.ts';
import type { Authentication, AuthenticationRequest } from '../clients/methods/method.ts';
import { type AuthenticationMethodName, methodOf } from '../clients/methods/methods.ts';
import { invalidClient, invalidRequest } from '../oauth/oauth-error.ts';
import type { PresentedCredentials } from './presented-credentials.ts';

/** A client that has proven who it is. */
export interface AuthenticatedClient extends Required<Authentication> {
  readonly client: Client;
  /** The subject of its tokens (RFC 9068 §2.2). */
  readonly sub: string;
  readonly method: AuthenticationMethodName;
}

/**
 * Authenticates a client with the method that it registered, and only that one (RFC 6749 §2.3).
 *
 * @param client what the registry has under the presented `client_id`
 * @throws {OAuthError} invalid_client, or invalid_request if the request uses two methods
 */
export async function authenticateClient(
  client: Client | undefined,
  credentials: PresentedCredentials,
  request: AuthenticationRequest,
): Promise<AuthenticatedClient> {
  requireOneMethod(credentials, request);
  if (!client) throw invalidClient('client_unknown', 'no client is registered under this client_id');
  if (!client.enabled) throw invalidClient('client_disabled', 'the client is disabled');
  const { method } = client.authentication;
  const descriptor = methodOf(client.authentication);
  if (!descriptor)
    throw invalidClient(
      'client_method_unsupported',
      'the client is registered for a method that the server does not have',
    );
  const [used = 'certificate'] = credentials.methods;
  if (used !== descriptor.credential) {
    throw invalidClient('client_method_mismatch', `the request uses ${used}; the client is registered for ${method}`);
  }
  const { certificate, sub = client.clientId, advice } = await descriptor.authenticate(client.authentication, request);
  return { client, sub, method, certificate, advice };
}

/** RFC 6749 §2.3: a client must not use more than one method in a request. */
function requireOneMethod({ methods }: PresentedCredentials, { presented }: AuthenticationRequest): void {
  if (methods.length === 0) return;
  const certificates = presented.kind === 'certificate' ? ['a client certificate'] : [];
  const used = [...methods, ...certificates];
  if (used.length < 2) return;
  throw invalidRequest(
    'authentication_methods_multiple',
    'The request uses more than one method of client authentication.',
    {
      reason: `the request uses ${used.join(' and ')}`,
    },
  );
}
