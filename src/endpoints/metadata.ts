import { hash } from 'node:crypto';
import { authenticationMethodNames } from '../clients/methods/methods.ts';
import { grantTypes } from '../oauth/grammar.ts';
import { withoutTrailingSlash } from '../oauth/issuer.ts';
import { invalidRequest, temporarilyUnavailable } from '../oauth/oauth-error.ts';
import type { Keyring } from '../tokens/keyring/keyring.ts';
import { type Endpoint, respondWithError } from './respond.ts';

/** What published documents follow while the server runs. */
export type PublishedKeys = Pick<Keyring, 'published' | 'algorithms'>;

export interface MetadataFacts {
  /** As clients configure it. */
  readonly issuer: string;
  /** The base URL for clients with a certificate: another host than the issuer's, or a path below it. */
  readonly mtlsUrl: string;
  readonly keys: PublishedKeys;
  /** Whether there is a revocation endpoint. */
  readonly canRevoke: boolean;
}

/**
 * The authorization server metadata (RFC 8414 §2, RFC 8705 §5, RFC 9701 §7), from the tables that the server dispatches by. Every
 * member is registered with IANA, and no array is empty (RFC 8414 §3.2).
 *
 * `response_types_supported` is required, even without an authorization endpoint. `none` is the registered response type
 * that returns nothing (OAuth 2.0 Multiple Response Type Encoding Practices §4).
 */
export function authorizationServerMetadata({ issuer, mtlsUrl, keys, canRevoke }: MetadataFacts) {
  const base = withoutTrailingSlash(issuer);
  const { algorithms } = keys;
  return {
    issuer,
    ...authenticatedEndpoints(base, canRevoke),
    jwks_uri: `${base}/jwks`,
    response_types_supported: ['none'],
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: authenticationMethodNames,
    introspection_endpoint_auth_methods_supported: authenticationMethodNames,
    // Introspection responses are signed with the server's own algorithm. Without a key there is none at the moment.
    introspection_signing_alg_values_supported: algorithms.length > 0 ? algorithms.slice(0, 1) : undefined,
    revocation_endpoint_auth_methods_supported: canRevoke ? authenticationMethodNames : undefined,
    tls_client_certificate_bound_access_tokens: true,
    mtls_endpoint_aliases: authenticatedEndpoints(withoutTrailingSlash(mtlsUrl), canRevoke),
  };
}

/** The endpoints that authenticate their client, which therefore have an alias each (RFC 8705 §5). */
function authenticatedEndpoints(base: string, canRevoke: boolean) {
  return {
    token_endpoint: `${base}/token`,
    introspection_endpoint: `${base}/introspect`,
    revocation_endpoint: canRevoke ? `${base}/revoke` : undefined,
  };
}

/**
 * The OpenID Provider metadata: the same document with the other members that OpenID Connect Discovery 1.0 §3 requires.
 * Many clients look only there, some reject a document without these members, and none of them needs an ID token. See
 * docs/decisions/0010-openid-configuration.md.
 */
export function openidProviderMetadata(facts: MetadataFacts) {
  return {
    ...authorizationServerMetadata(facts),
    authorization_endpoint: `${withoutTrailingSlash(facts.issuer)}/authorize`,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: tokenAlgorithms(facts.keys),
    // The one member whose default promises something: true.
    request_uri_parameter_supported: false,
  };
}

/**
 * The algorithms of every token that a verifier may meet: those of the keys that sign, the server's own first, and of those
 * that are about to, or did. go-oidc rejects tokens whose algorithm is not in the list, and reads it once, when it starts.
 * OpenID Connect Discovery §3 requires RS256.
 */
function tokenAlgorithms({ published, algorithms }: PublishedKeys): readonly string[] {
  return [...new Set([...algorithms, ...published.map(({ algorithm }) => algorithm), 'RS256'])];
}

/** The keys that verify tokens, as a JWK Set (RFC 7517 §5). */
export function jwkSet({ published }: PublishedKeys) {
  return { keys: published.map(({ publicJwk }) => publicJwk) };
}

const MAX_AGE_SECONDS = 300;

/**
 * Serves a public, cacheable document. It is rendered when the keys change; a conditional request for the same version gets
 * 304 (RFC 9110 §13.1.2). Without a key, there is no document: recipients that cached an earlier one keep it.
 */
export function publishedDocument(
  keyring: PublishedKeys,
  render: (keys: PublishedKeys) => object,
  contentType: string,
): Endpoint {
  const currentVersion = versions(keyring, render);
  return (request) => {
    const { method, fields } = request;
    if (method !== 'GET' && method !== 'HEAD') return respondWithError(request, readOnly());
    const { keys, body, etag } = currentVersion();
    if (keys.published.length === 0) return respondWithError(request, noKeys());
    const headers = { etag, 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` };
    if (matchesEtag(fields.combined('if-none-match'), etag)) return new Response(null, { status: 304, headers });
    return new Response(body, { status: 200, headers: { ...headers, 'content-type': contentType } });
  };
}

interface Version {
  readonly keys: PublishedKeys;
  readonly body: string;
  /** The same for the same body (RFC 9110 §8.8.3). */
  readonly etag: string;
}

function versions(keyring: PublishedKeys, render: (keys: PublishedKeys) => object): () => Version {
  const renderVersion = (keys: PublishedKeys): Version => {
    const body = JSON.stringify(render(keys));
    return { keys, body, etag: `"${hash('sha256', body, 'base64url')}"` };
  };
  let version: Version | undefined;
  return () => {
    const { published, algorithms } = keyring;
    if (version?.keys.published === published && version.keys.algorithms === algorithms) return version;
    version = renderVersion({ published, algorithms });
    return version;
  };
}

function noKeys() {
  return temporarilyUnavailable('keys_unpublished', 'no key is published', 5);
}

function readOnly() {
  return invalidRequest('method_not_allowed', 'The document is read-only.', { headers: { allow: 'GET, HEAD' } });
}

function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  const candidates = (ifNoneMatch ?? '').split(',').map((candidate) => candidate.trim().replace(/^W\//, ''));
  return candidates.includes(etag) || candidates.includes('*');
}
