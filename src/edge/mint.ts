import type { AuthenticatedClient } from '../authentication/authenticate-client.ts';
import type { Authorization } from '../grants/grant.ts';
import { resolveTarget } from '../grants/target.ts';
import type { TokenRates } from '../grants/token-rates.ts';
import { createTimeFormatter } from '../observability/time-formatter.ts';
import type { Resource } from '../resources/resource.ts';
import type { Peer } from '../terminator/trusted-proxy.ts';
import { type AccessTokenClaims, accessTokenClaims } from '../tokens/access-token-claims.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import type { RevocableToken, TokenRevocations } from '../tokens/revocation/token-revocations.ts';
import { type Approval, type ApprovedToken, approvalHeaders } from './approval.ts';
import type { Check } from './check.ts';
import { MintedTokens } from './minted-tokens.ts';

/** Mints a token for the resource of a check, or reuses one. The client is authenticated for this very check. */
export type Minter = (authenticated: AuthenticatedClient, check: Check) => Promise<MintedApproval>;

type MintedApproval = Required<Pick<Approval, 'headers' | 'minted'>>;

interface MinterOptions {
  readonly issuer: string;
  readonly keyring: Keyring;
  readonly tokenRates: TokenRates;
  /** Undefined if tokens cannot be revoked. */
  readonly revocations: Pick<TokenRevocations, 'findKnown'> | undefined;
}

export function createMinter({ issuer, keyring, tokenRates, revocations }: MinterOptions): Minter {
  const minted = new MintedTokens({ keyring, revocations });
  return async ({ client, sub, certificate }, { resource, peer, now }) => {
    const confirmation = confirmationOf(resource, certificate.thumbprint, peer);
    const key = { thumbprint: certificate.thumbprint, resource, confirmation };
    const reusable = minted.find(key, client, now);
    if (reusable) return { headers: reusable.headers, minted: reusable.token };
    const { scope } = resolveTarget(client, resource.scopes.join(' '), [resource.audience]);
    const authorization: Authorization = {
      sub,
      scope,
      // The upstream knows this spelling. The record of the client may have an equivalent one.
      audience: [resource.audience],
      lifetimeSeconds: resource.accessTokenLifetimeSeconds,
    };
    tokenRates.take(client, now);
    const claims: AccessTokenClaims = {
      ...accessTokenClaims(issuer, client, authorization, certificate, now),
      cnf: confirmation === undefined ? undefined : { 'x5t#S256': confirmation },
    };
    const signingKey = keyring.signingKey(resource.signingAlgorithm);
    const token = await signingKey.sign(claims);
    const headers = approvalHeaders({
      clientId: client.clientId,
      subject: claims.sub,
      scope: authorization.scope,
      audience: authorization.audience,
      expiresAt: claims.exp,
      token,
    });
    const approved = { claims: auditClaims(claims, authorization, signingKey.keyId), written: undefined };
    const published = keyring.find(signingKey.keyId);
    const revocable = revocableOf(claims, authorization);
    const { exp: expiresAt } = claims;
    if (published)
      minted.store(key, { client, resource, key: published, headers, token: approved, revocable, expiresAt });
    return { headers, minted: approved };
  };
}

function revocableOf({ jti, client_id, iat }: AccessTokenClaims, { audience }: Authorization): RevocableToken {
  return { tokenId: jti, clientId: client_id, audience, issuedAt: iat };
}

/** The certificate that the token is bound to (RFC 8705 §3.1): the caller's, the proxy's, or none. */
function confirmationOf({ binding }: Resource, thumbprint: string, peer: Peer): string | undefined {
  switch (binding.kind) {
    case 'caller':
      return thumbprint;
    case 'proxy': {
      const presented = peer.kind === 'tls' && peer.certificate.kind === 'certificate' && peer.certificate.thumbprint;
      return binding.thumbprints.find((known) => known === presented) ?? binding.thumbprints[0];
    }
    case 'none':
      return undefined;
  }
}

function auditClaims(
  { client_id: clientId, sub, jti, exp }: AccessTokenClaims,
  { scope, audience }: Authorization,
  kid: string,
): ApprovedToken['claims'] {
  const claims = { scope: scope.join(' '), audience, jti, kid, expires_at: formatExpiry(exp * 1000) };
  return sub === clientId ? claims : { sub, ...claims };
}

const formatExpiry = createTimeFormatter();
