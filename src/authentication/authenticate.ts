import type { AuthenticationMethodName, Client, ClientAuthentication } from '../clients/client.ts';
import { invalidClient, invalidRequest } from '../oauth/oauth-error.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { type ClientCertificate, requireValidAt } from '../pki/certificate/client-certificate.ts';
import type { PresentedCertificate } from './client-certificate.ts';
import type { AuthenticationMethod } from './method.ts';
import type { PresentedCredentials } from './presented-credentials.ts';
import { selfSignedTlsClientAuth } from './self-signed-tls-client-auth.ts';
import { tlsClientAuth } from './tls-client-auth.ts';

/** Who the client is, now that it has shown it. */
export interface AuthenticatedClient {
  readonly client: Client;
  readonly method: AuthenticationMethodName;
  /** Tokens that this client obtains are bound to it (RFC 8705 §3). */
  readonly certificate: ClientCertificate;
  /** For the operator: what about this client should be changed. */
  readonly advice: string | undefined;
}

/** Every method that a client may register (RFC 8705 §2); the metadata document lists this table. */
export const authenticationMethods: { readonly [Name in AuthenticationMethodName]: AuthenticationMethod<Name> } = {
  tls_client_auth: tlsClientAuth,
  self_signed_tls_client_auth: selfSignedTlsClientAuth,
};

/**
 * Authenticates the client by the method that it registered, and no other (RFC 6749 §2.3).
 *
 * @param client what the registry found under the presented `client_id`
 * @param now milliseconds since the epoch
 * @throws {OAuthError} invalid_client, or invalid_request when the request tries two methods
 */
export function authenticate(
  client: Client | undefined,
  credentials: PresentedCredentials,
  presented: PresentedCertificate,
  now: number,
): AuthenticatedClient {
  requireOneMethod(credentials, presented);
  if (!client) throw invalidClient('no client is registered under this client_id');
  if (!client.enabled) throw invalidClient('the client is disabled');
  const { method } = client.authentication;
  if (credentials.methods.length > 0) {
    throw invalidClient(`the request uses ${credentials.methods[0]}; the client is registered for ${method}`);
  }
  if (presented.kind === 'none') throw invalidClient(`no certificate: ${presented.reason}`);
  requireValid(presented.certificate, now);
  const { advice } = applyMethod(client.authentication, presented, now);
  return { client, method, certificate: presented.certificate, advice };
}

/** RFC 6749 §2.3: a client must not use more than one method in a request. */
function requireOneMethod({ methods }: PresentedCredentials, presented: PresentedCertificate): void {
  const withCertificate = presented.kind === 'certificate' ? 1 : 0;
  if (methods.length + withCertificate < 2) return;
  const used = [...methods, ...(withCertificate ? ['a client certificate'] : [])].join(' and ');
  throw invalidRequest('The request uses more than one method of client authentication.', {
    reason: `the request uses ${used}`,
  });
}

function requireValid(certificate: ClientCertificate, now: number): void {
  try {
    requireValidAt(certificate, now);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw invalidClient(`the certificate ${error.message}`);
  }
}

function applyMethod(
  registered: ClientAuthentication,
  presented: Extract<PresentedCertificate, { kind: 'certificate' }>,
  now: number,
): { readonly advice?: string } {
  if (!Object.hasOwn(authenticationMethods, registered.method)) {
    throw invalidClient('the client is registered for a method that the server does not have');
  }
  // The table's type says that the method under a name takes what is registered under that name.
  const method = authenticationMethods[registered.method] as AuthenticationMethod<AuthenticationMethodName>;
  return method(registered, presented, now);
}
