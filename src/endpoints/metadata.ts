import { createHash } from 'node:crypto';
import { authenticationMethodNames } from '../clients/methods/methods.ts';
import { grantTypes } from '../oauth/grant-types.ts';
import { withoutTrailingSlash } from '../oauth/issuer.ts';
import { invalidRequest } from '../oauth/oauth-error.ts';
import type { SigningAlgorithm } from '../tokens/signing-algorithm.ts';
import type { EndpointContext } from './request.ts';
import { respondWithError } from './respond.ts';

export interface MetadataFacts {
  /** As clients type it. */
  readonly issuer: string;
  /** Where clients with a certificate go: another host than the issuer's, or a path below it. */
  readonly mtlsUrl: string;
  readonly signingAlgorithm: SigningAlgorithm;
}

/**
 * The authorization server's metadata (RFC 8414 §2, RFC 8705 §5), from the tables that the server runs by.
 *
 * `response_types_supported` stays although it is empty: RFC 8414 §2 requires it and §3.2 wants empty lists left out
 * (erratum 7793). Readers that insist on it exist; readers that stumble over an empty list do not.
 */
export function metadataDocument({ issuer, mtlsUrl, signingAlgorithm }: MetadataFacts): object {
  const base = withoutTrailingSlash(issuer);
  return {
    issuer,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/jwks`,
    response_types_supported: [],
    grant_types_supported: grantTypes,
    token_endpoint_auth_methods_supported: authenticationMethodNames,
    access_token_signing_alg_values_supported: [signingAlgorithm],
    tls_client_certificate_bound_access_tokens: true,
    mtls_endpoint_aliases: { token_endpoint: `${withoutTrailingSlash(mtlsUrl)}/token` },
  };
}

const MAX_AGE_SECONDS = 300;

/**
 * Serves a document that everybody may read and caches may keep. It is rendered once; a reader that still has it is
 * told so (RFC 9110 §13.1.2).
 */
export function publishedDocument(document: object, contentType: string): (c: EndpointContext) => Response {
  const body = JSON.stringify(document);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  const headers = { etag, 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` };
  return (c) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return respondWithError(c, readOnly());
    if (stillHas(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers);
    return c.body(body, 200, { ...headers, 'content-type': contentType });
  };
}

function readOnly() {
  return invalidRequest('This document is only read.', { status: 405, headers: { allow: 'GET, HEAD' } });
}

function stillHas(ifNoneMatch: string | undefined, etag: string): boolean {
  const candidates = (ifNoneMatch ?? '').split(',').map((candidate) => candidate.trim().replace(/^W\//, ''));
  return candidates.includes(etag) || candidates.includes('*');
}
