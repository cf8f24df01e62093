import type { PresentedCertificate } from '../clients/methods/method.ts';
import type { Registry } from '../clients/registry/registry.ts';
import type { Form } from '../oauth/form.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import type { RequestTrace } from '../observability/tracing/trace.ts';
import type { ForwardedRequest } from '../terminator/forwarded-certificate.ts';
import type { ContextReader } from '../terminator/request-context.ts';
import { type AuthenticatedClient, authenticateClient } from './authenticate-client.ts';
import type { ClientCertificateReader } from './client-certificate.ts';
import { completeValidation } from './postponed-validation.ts';
import { readPresentedCredentials } from './presented-credentials.ts';
import type { RecentExpiries } from './recent-expiries.ts';

/** What authentication reads of an HTTP request. */
export interface ClientRequest extends ForwardedRequest {
  /** As `clientAuthorization` reads it. */
  readonly authorization: string | undefined;
  /** Reads and parses the body. */
  readonly readForm: () => Promise<Form>;
}

export interface AuthenticationDependencies {
  readonly readContext: ContextReader;
  readonly readCertificate: ClientCertificateReader;
  readonly registry: Registry;
  /** Of the certificates of authenticated clients. */
  readonly expiries: Pick<RecentExpiries, 'add'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A request whose client is authenticated. */
export interface AuthenticatedRequest extends Pick<AuthenticatedClient, 'client' | 'sub' | 'certificate'> {
  readonly form: Form;
}

/**
 * Steps 1 to 5 of every endpoint that authenticates its client: from the request to the client that sent it.
 *
 * @param entry the audit entry of the request; each step adds what it learned
 * @throws {OAuthError}
 */
export async function authenticateRequest(
  request: ClientRequest,
  { readContext, readCertificate, registry, expiries, now }: AuthenticationDependencies,
  entry: AuditEntry,
  trace: RequestTrace,
): Promise<AuthenticatedRequest> {
  Object.assign(entry, readContext(request));
  // 1. Parse the form.
  trace.begin('read_form');
  const form = await request.readForm();
  const credentials = readPresentedCredentials(request.authorization, form);
  entry.client_id = credentials.clientId;
  // 2. and 3. Read what the terminator forwarded; parse the certificate and validate its path.
  trace.begin('read_certificate');
  const received = readCertificate(request, entry);
  addChain(entry, received);
  // 4. Find the client.
  trace.begin('find_client');
  const found = await registry.find(credentials.clientId);
  // 5. Authenticate it.
  trace.begin('validate_path');
  const completed = completeValidation(received, [found], now());
  const presented = completed === received ? received : await completed;
  if (presented !== received) addChain(entry, presented);
  trace.begin('authenticate_client');
  const proof = { form, presented, now: now() };
  const authenticated = await authenticateClient(found, credentials, proof);
  const { client, sub, certificate } = authenticated;
  expiries.add(certificate.notAfter, proof.now);
  addAuthentication(entry, authenticated);
  return { client, sub, certificate, form };
}

/** Adds how the client was authenticated. */
export function addAuthentication(
  entry: AuditEntry,
  { registration: { method, description }, advice }: AuthenticatedClient,
): void {
  entry.method = method;
  if (description !== undefined) entry.registration = description;
  if (advice !== undefined) entry.advice = advice;
}

/** Adds how the chain of the certificate was verified, if it was. */
export function addChain(entry: AuditEntry, presented: PresentedCertificate): void {
  if (presented.kind === 'certificate' && presented.chain.verified) entry.chain = presented.chain.reason;
}
