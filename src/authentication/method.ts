import type { AuthenticationMethodName, ClientAuthentication } from '../clients/client.ts';
import type { PresentedCertificate } from './client-certificate.ts';

/**
 * One method of client authentication: decides whether this is the registered client's certificate.
 *
 * @returns advice for the operator, if there is any
 * @throws {OAuthError} invalid_client: the only way to refuse, and the last line of every method
 */
export type AuthenticationMethod<Name extends AuthenticationMethodName> = (
  registered: Extract<ClientAuthentication, { method: Name }>,
  presented: Extract<PresentedCertificate, { kind: 'certificate' }>,
  now: number,
) => { readonly advice?: string };
