import { type AuthenticatedClient, authenticateClient } from '../authentication/authenticate-client.ts';
import { completeValidation } from '../authentication/postponed-validation.ts';
import type { Client } from '../clients/client.ts';
import { type PresentedCertificate, requireCertificate } from '../clients/methods/method.ts';
import { mostSpecific } from '../clients/precedence.ts';
import type { Registry } from '../clients/registry/registry.ts';
import type { Form } from '../oauth/form.ts';
import { invalidClient, isInvalidClient, type OAuthError } from '../oauth/oauth-error.ts';
import type { ChainStatus } from '../pki/path/verify-chain.ts';
import type { InvalidClientCode } from '../reasons/reasons.ts';
import { contradiction } from '../terminator/chain-verification.ts';
import { Denial } from './denial.ts';

/** A check has no body: it presents a certificate and nothing else. */
const noForm: Form = { get: () => undefined, all: () => [] };
const noCredentials = { clientId: '', methods: [] };

/**
 * Authenticates one client by a certificate alone, by the rules of the token endpoint.
 *
 * @param now milliseconds since the epoch
 * @throws {OAuthError} invalid_client
 */
export function authenticateWith(
  presented: PresentedCertificate,
  client: Client | undefined,
  now: number,
): Promise<AuthenticatedClient> {
  return authenticateClient(client, noCredentials, { form: noForm, presented, now });
}

/**
 * Finds the client that a certificate authenticates, by the rules of the token endpoint. Of several, the one that is
 * registered by the most specific pattern of SPIFFE IDs.
 *
 * @param now milliseconds since the epoch
 * @throws {OAuthError} invalid_client if it authenticates none, temporarily_unavailable if the lookup fails
 * @throws {Denial} access_denied if it authenticates more than one
 */
export async function authenticateByCertificate(
  received: PresentedCertificate,
  registry: Registry,
  now: number,
): Promise<AuthenticatedClient> {
  const { certificate, chain } = requireCertificate({ form: noForm, presented: received, now });
  const candidates = await registry.findByCertificate(certificate, chain.verified);
  const completed = completeValidation(received, candidates, now);
  const presented = completed === received ? received : await completed;
  const matches: AuthenticatedClient[] = [];
  const rejections: Rejection[] = [];
  for (const candidate of candidates) {
    // As if it were enabled: the certificate of a disabled client must not become that of a pattern.
    const result = await tryToAuthenticate({ ...candidate, enabled: true }, presented, now);
    if ('reason' in result) rejections.push(rejection(candidate, result.code, result.reason));
    else matches.push({ ...result, client: candidate });
  }
  const specific = mostSpecific(matches);
  const [client, ...others] = specific.filter((match) => match.client.enabled);
  if (!client) throw noClient([...rejections, ...specific.map(disabled)], chain);
  if (others.length > 0) throw ambiguous([client, ...others]);
  return client;
}

/**
 * Why a proxy rejects a certificate, as far as this server finds the reason: by the rules of `tls_client_auth`.
 *
 * @throws {OAuthError} invalid_client
 */
export function rejectionByProxy(presented: PresentedCertificate, now: number): OAuthError {
  const { chain } = requireCertificate({ form: noForm, presented, now });
  if (!chain.verified) return invalidClient(chain.code, unverifiedReason(chain));
  return invalidClient('verification_contradicted', `the proxy rejects the certificate, ${contradiction}`);
}

function unverifiedReason({ reason }: Pick<ChainStatus, 'reason'>): string {
  return `the certificate's chain is not verified: ${reason}`;
}

/** Why the certificate does not authenticate a client. */
interface Rejection {
  readonly code: InvalidClientCode;
  readonly reason: string;
}

function rejection({ clientId }: Client, code: InvalidClientCode, reason: string): Rejection {
  return { code, reason: `"${clientId}": ${reason}` };
}

function disabled({ client }: AuthenticatedClient): Rejection {
  return rejection(client, 'client_disabled', 'the client is disabled');
}

/** @returns the client, or why the certificate does not authenticate it */
async function tryToAuthenticate(
  candidate: Client,
  presented: PresentedCertificate,
  now: number,
): Promise<AuthenticatedClient | Rejection> {
  try {
    return await authenticateWith(presented, candidate, now);
  } catch (error) {
    if (isInvalidClient(error)) return { code: error.code, reason: error.reason };
    throw error;
  }
}

/** How many candidates a reason names. */
const MAX_NAMED = 5;

/** The code is that of the candidates, if they agree. */
function noClient(rejections: readonly Rejection[], chain: ChainStatus): OAuthError {
  const [first, ...others] = rejections;
  // Only registered certificates were looked for, and no names.
  if (!first && !chain.verified) {
    return invalidClient(chain.code, `the certificate is not registered, and ${unverifiedReason(chain)}`);
  }
  if (!first) return invalidClient(NO_CLIENT, 'no client is registered by an identity of the certificate');
  const code = others.every((other) => other.code === first.code) ? first.code : NO_CLIENT;
  const reasons = listed(
    rejections.map(({ reason }) => reason),
    '; ',
  );
  return invalidClient(
    code,
    `the certificate authenticates none of the clients that are registered by its identities: ${reasons}`,
  );
}

const NO_CLIENT = 'certificate_client_unknown';

function ambiguous(clients: readonly AuthenticatedClient[]): Denial {
  const names = clients.map(({ client }) => `"${client.clientId}"`);
  const fix = 'register it for one of them only';
  return new Denial(
    'certificate_ambiguous',
    `the certificate authenticates more than one client: ${listed(names, ', ')}; ${fix}`,
  );
}

function listed(items: readonly string[], separator: string): string {
  const more = items.length > MAX_NAMED ? [`and ${items.length - MAX_NAMED} more`] : [];
  return [...items.slice(0, MAX_NAMED), ...more].join(separator);
}
