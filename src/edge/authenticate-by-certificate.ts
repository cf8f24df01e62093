import { type AuthenticatedClient, authenticateClient } from '../authentication/authenticate-client.ts';
import type { Client } from '../clients/client.ts';
import { type PresentedCertificate, requireCertificate } from '../clients/methods/method.ts';
import { mostSpecific } from '../clients/precedence.ts';
import type { Registry } from '../clients/registry/registry.ts';
import type { Form } from '../oauth/form.ts';
import { invalidClient, OAuthError } from '../oauth/oauth-error.ts';
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
  presented: PresentedCertificate,
  registry: Registry,
  now: number,
): Promise<AuthenticatedClient> {
  const { certificate, chain } = requireCertificate({ form: noForm, presented, now });
  const candidates = await registry.findByCertificate(certificate, chain.verified);
  const matches: AuthenticatedClient[] = [];
  const rejections: string[] = [];
  for (const candidate of candidates) {
    // As if it were enabled: the certificate of a disabled client must not become that of a pattern.
    const result = await tryToAuthenticate({ ...candidate, enabled: true }, presented, now);
    if (typeof result === 'string') rejections.push(`"${candidate.clientId}": ${result}`);
    else matches.push({ ...result, client: candidate });
  }
  const specific = mostSpecific(matches);
  const [client, ...others] = specific.filter((match) => match.client.enabled);
  if (!client) throw invalidClient(noClientReason([...rejections, ...specific.map(disabledReason)]));
  if (others.length > 0) throw ambiguous([client, ...others]);
  return client;
}

function disabledReason({ client }: AuthenticatedClient): string {
  return `"${client.clientId}": the client is disabled`;
}

/** @returns the client, or why the certificate does not authenticate it */
async function tryToAuthenticate(
  candidate: Client,
  presented: PresentedCertificate,
  now: number,
): Promise<AuthenticatedClient | string> {
  try {
    return await authenticateWith(presented, candidate, now);
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_client') return error.reason;
    throw error;
  }
}

/** How many candidates a reason names. */
const MAX_NAMED = 5;

function noClientReason(rejections: readonly string[]): string {
  if (rejections.length === 0) return 'no client is registered by an identity of the certificate';
  return `the certificate authenticates none of the clients that are registered by its identities: ${listed(rejections, '; ')}`;
}

function ambiguous(clients: readonly AuthenticatedClient[]): Denial {
  const names = clients.map(({ client }) => `"${client.clientId}"`);
  const fix = 'register it for one of them only';
  return new Denial(
    'access_denied',
    `the certificate authenticates more than one client: ${listed(names, ', ')}; ${fix}`,
  );
}

function listed(items: readonly string[], separator: string): string {
  const more = items.length > MAX_NAMED ? [`and ${items.length - MAX_NAMED} more`] : [];
  return [...items.slice(0, MAX_NAMED), ...more].join(separator);
}
