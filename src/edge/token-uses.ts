import { createBoundedCache } from '../cache/bounded-cache.ts';
import type { Client } from '../clients/client.ts';
import { resolveTarget } from '../grants/target.ts';
import { createTimeFormatter } from '../observability/time-formatter.ts';
import type { Resource } from '../resources/resource.ts';
import type { AccessToken } from '../tokens/access-token.ts';
import type { VerifiedAccessToken } from '../tokens/access-token-verifier.ts';
import { type ApprovedToken, approvalHeaders, type Identity } from './approval.ts';
import { Denial } from './denial.ts';

/** A verified token at one resource: what the records permit, and what the upstream receives. */
export interface TokenUse {
  readonly verified: VerifiedAccessToken;
  readonly client: Client;
  readonly resource: Resource;
  readonly headers: readonly string[];
  readonly token: ApprovedToken;
}

const BOUNDS = { entries: 50_000, bytes: 64 * 1024 * 1024 };
/** Measured: the heap size of an entry, in addition to the characters of its header. */
const ENTRY_OVERHEAD_BYTES = 1_000;

/** Authorizes verified tokens. A use is cached until the token is verified anew or a record is another object. */
export class TokenUses {
  readonly #cache = createBoundedCache<TokenUse>(BOUNDS);

  /**
   * @param text the token as received
   * @throws {Denial} insufficient_scope, or {OAuthError} invalid_scope, invalid_target
   */
  find(verified: VerifiedAccessToken, text: string, client: Client, resource: Resource): TokenUse {
    const key = `${verified.digest} ${resource.name}`;
    const cached = this.#cache.get(key);
    const known = cached?.verified === verified ? cached : undefined;
    if (known?.client === client && known.resource === resource) return known;
    const token = resource.forward === 'original' ? text : undefined;
    const headers = approvalHeaders({ ...authorize(verified.token, client, resource), token });
    // After a change of the records, the token is still one that was seen before.
    const use = { verified, client, resource, headers, token: known?.token ?? approvedToken(verified) };
    const characters = headers.reduce((sum, { length }) => sum + length, key.length);
    this.#cache.set(key, use, characters + ENTRY_OVERHEAD_BYTES);
    return use;
  }
}

/** Requires that the token covers the scope of the resource, and that the client is still registered for it. */
function authorize(token: AccessToken, client: Client, resource: Resource): Omit<Identity, 'token'> {
  const missing = resource.scopes.find((scope) => !token.scope.includes(scope));
  if (missing !== undefined) throw new Denial('token_scope_insufficient', lackReason(token, missing));
  resolveTarget(client, resource.scopes.join(' '), [resource.audience]);
  const { clientId, subject, audience, expiresAt } = token;
  // A scope may have been removed from the client's record since the token was issued.
  const scope = token.scope.filter((each) => client.scopes.includes(each));
  return { clientId, subject, scope, audience, expiresAt };
}

function lackReason({ scope }: AccessToken, missing: string): string {
  return `the access token lacks the scope "${missing}" of the resource; it has ${JSON.stringify(scope.join(' '))}`;
}

function approvedToken({ token, key }: VerifiedAccessToken): ApprovedToken {
  const { clientId, subject: sub, scope, audience, tokenId: jti, expiresAt } = token;
  const expires_at = formatExpiry(expiresAt * 1000);
  const claims = { scope: scope.join(' '), audience, jti, kid: key.keyId, expires_at };
  return { claims: sub === clientId ? claims : { sub, ...claims }, written: undefined };
}

const formatExpiry = createTimeFormatter();
