import { timingSafeEqual } from 'node:crypto';
import type { AuthenticatedClient } from '../authentication/authenticate-client.ts';
import { addAuthentication } from '../authentication/authenticate-request.ts';
import { completeValidation } from '../authentication/postponed-validation.ts';
import type { Registry } from '../clients/registry/registry.ts';
import { areEquivalentUris } from '../oauth/canonical-uri.ts';
import { isInvalidClient } from '../oauth/oauth-error.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { Resource } from '../resources/resource.ts';
import { type AccessToken, AccessTokenError } from '../tokens/access-token.ts';
import type { AccessTokenVerifier } from '../tokens/access-token-verifier.ts';
import { authenticateWith } from './authenticate-by-certificate.ts';
import { readBearerToken } from './bearer-token.ts';
import type { Check, DecideCheck } from './check.ts';
import { Denial } from './denial.ts';
import type { Minter } from './mint.ts';
import { TokenUses } from './token-uses.ts';

interface VerifierOptions {
  readonly registry: Registry;
  readonly accessTokens: AccessTokenVerifier;
  /** For resources that receive a token of their own in place of the presented one. */
  readonly mint: Minter;
}

/**
 * Verifies the token of a check: it is a token of this server for the resource, its client may still have it, and it is
 * bound to the certificate of this very connection (RFC 9068 §4, RFC 8705 §3).
 */
export function createVerifier({ registry, accessTokens, mint }: VerifierOptions): DecideCheck {
  const uses = new TokenUses();
  return async (check, entry) => {
    const { resource, now } = check;
    // 1. Read the token.
    const text = requireBearerToken(check);
    // 2. Verify its signature, claims, lifetime and audience.
    const verified = await accessTokens.verify(text, now);
    const { token } = verified;
    const boundTo = requireBoundToken(token);
    entry.client_id = token.clientId;
    entry.jti = token.tokenId;
    requireAudience(token, resource);
    // 3. Find its client, and authenticate it with the certificate.
    const authenticated = await authenticateClientOf(token, check, registry);
    addAuthentication(entry, authenticated);
    // 4. Require that the token is bound to this certificate.
    requireBinding(boundTo, authenticated.certificate);
    // 5. Authorize.
    const use = uses.find(verified, text, authenticated.client, resource);
    // 6. Forward that token, none, or one for the resource alone.
    if (resource.forward !== 'minted') return { headers: use.headers, verified: use.token };
    return { ...(await mint(authenticated, check)), verified: use.token };
  };
}

/** RFC 6750 §3.1: only a request that has a token has an invalid one. */
function requireBearerToken({ headers }: Check): string {
  const bearer = readBearerToken(headers);
  if (bearer.kind === 'token') return bearer.token;
  if (bearer.kind === 'absent') throw new Denial('authorization_missing', 'the request has no Authorization header');
  throw new Denial('bearer_malformed', bearer.reason, bearer.isToken ? 'invalid_token' : 'invalid_request');
}

/** The thumbprint of the certificate that the token is bound to. Anyone who has an unbound token could use it. */
function requireBoundToken({ certificateThumbprint }: AccessToken): string {
  if (certificateThumbprint !== undefined) return certificateThumbprint;
  throw new AccessTokenError('token_unbound', 'is not bound to a certificate: it has no cnf');
}

/** RFC 9068 §4: the resource is one of the recipients. */
function requireAudience({ audience }: AccessToken, resource: Resource): void {
  if (audience.some((each) => areEquivalentUris(each, resource.audience))) return;
  throw new AccessTokenError(
    'token_audience_mismatch',
    `its aud is ${JSON.stringify(audience)}, and the resource is ${resource.audience}`,
  );
}

/** RFC 8705 §3: with a certificate that is not the client's, the token is invalid. */
async function authenticateClientOf(
  { clientId }: AccessToken,
  { presented, now }: Check,
  registry: Registry,
): Promise<AuthenticatedClient> {
  try {
    const client = await registry.find(clientId);
    return await authenticateWith(await completeValidation(presented, [client], now), client, now);
  } catch (error) {
    if (isInvalidClient(error)) throw new Denial(error.code, error.reason, 'invalid_token');
    throw error;
  }
}

/** RFC 8705 §3.1 */
function requireBinding(boundTo: string, { thumbprint }: ClientCertificate): void {
  const [expected, actual] = [Buffer.from(boundTo), Buffer.from(thumbprint)];
  if (expected.length === actual.length && timingSafeEqual(expected, actual)) return;
  throw new AccessTokenError(
    'token_certificate_mismatch',
    `it is bound to the certificate ${boundTo}, and ${thumbprint} was presented`,
  );
}
