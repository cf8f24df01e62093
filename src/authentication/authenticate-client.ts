import type { Client } from '../clients/client.ts';
import { isEffective } from '../clients/identities.ts';
import {
  type Authentication,
  type AuthenticationRequest,
  type PresentedCertificateOfClient,
  requireCertificate,
} from '../clients/methods/method.ts';
import { methodNames, methodOf, type Registration, recognizes } from '../clients/methods/methods.ts';
import { invalidClient, invalidRequest, isInvalidClient, type OAuthError } from '../oauth/oauth-error.ts';
import { abbreviate } from '../text.ts';
import type { PresentedCredentials } from './presented-credentials.ts';

/** A client that has proven who it is. */
export interface AuthenticatedClient extends Required<Authentication> {
  readonly client: Client;
  /** The subject of its tokens (RFC 9068 §2.2). */
  readonly sub: string;
  /** The one that recognizes its certificate. */
  readonly registration: Registration;
}

/**
 * Authenticates a client by whichever of its registrations recognizes the certificate, and by nothing else.
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
  requireCredential(client, credentials);
  const { registration, certificate, sub = client.clientId, advice } = authenticateWithAny(client, request);
  return { client, registration, sub, certificate, advice };
}

/** The credential that the request uses must be that of a registered method. */
function requireCredential({ registrations }: Client, { methods }: PresentedCredentials): void {
  const used = methods[0] ?? 'certificate';
  const credentials = registrations.map((registration) => methodOf(registration)?.credential);
  if (credentials.includes(used)) return;
  if (credentials.every((credential) => credential === undefined))
    throw invalidClient(
      'client_method_unsupported',
      'the client is registered for a method that the server does not have',
    );
  const registered = methodNames(registrations).join(' and ');
  throw invalidClient('client_method_mismatch', `the request uses ${used}; the client is registered for ${registered}`);
}

/** @throws {OAuthError} invalid_client: as the first matching registration rejects it, or because there is none */
function authenticateWithAny(client: Client, request: AuthenticationRequest) {
  const presented = requireCertificate(request);
  const matching = client.registrations.filter((registration) => recognizes(registration, presented.certificate));
  let rejection: OAuthError | undefined;
  for (const registration of matching.filter((each) => isEffective(each, request.now))) {
    try {
      return { registration, ...authenticateWith(registration, presented) };
    } catch (error) {
      if (!isInvalidClient(error)) throw error;
      rejection ??= error;
    }
  }
  throw rejection ?? notEffective(matching, request.now) ?? unregistered(client, presented);
}

function authenticateWith(registration: Registration, presented: PresentedCertificateOfClient): Authentication {
  const method = methodOf(registration);
  if (method) return method.authenticate(registration, presented);
  throw invalidClient('client_method_unsupported', 'the registration is for a method that the server does not have');
}

/** Why none of the registrations that recognize the certificate is effective now; undefined if there are none. */
function notEffective(matching: readonly Registration[], now: number): OAuthError | undefined {
  const [identity] = matching.flatMap((registration) => methodOf(registration)?.identity(registration) ?? []);
  if (!identity) return undefined;
  const registered = `the registration of ${abbreviate(identity.text)}`;
  const starts = matching.flatMap(({ notBefore }) => (notBefore !== undefined && now < notBefore ? [notBefore] : []));
  if (starts.length === 0) return invalidClient('registration_ended', `${registered} has ended`);
  const reason = `has not started: it starts at ${new Date(Math.min(...starts)).toISOString()}`;
  return invalidClient('registration_not_started', `${registered} ${reason}`);
}

/** How many registrations a reason names: one request must not cost more because its client has many. */
const MAX_NAMED = 5;

/** Why no registration recognizes the certificate: as the one method of the client states it, or all of them. */
function unregistered(client: Client, presented: PresentedCertificateOfClient): OAuthError {
  const byMethod = Map.groupBy(client.registrations, ({ method }) => method);
  const [first, ...others] = [...byMethod.values()].flatMap((registrations) => {
    const method = registrations[0] && methodOf(registrations[0]);
    return method ? [method.mismatch(registrations, presented)] : [];
  });
  if (first && (others.length === 0 || (!presented.chain.verified && presented.chain.isFinal))) return first;
  const named = client.registrations.slice(0, MAX_NAMED);
  const texts = new Set(named.flatMap((registration) => methodOf(registration)?.identity(registration).text ?? []));
  const omitted = client.registrations.length - named.length;
  const registered = abbreviate(`${[...texts].join('; ')}${omitted > 0 ? ` and ${omitted} more` : ''}`);
  return invalidClient(
    'certificate_unregistered',
    `${first?.reason}; ${others.map(({ reason }) => reason).join('; ')}; registered are: ${registered}`,
  );
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
