import { authenticationMethods } from '../authentication/authenticate.ts';
import { grants } from '../grants/authorize.ts';
import { withoutTrailingSlash } from '../oauth/url-path.ts';
import type { SigningAlgorithm } from '../tokens/signing-algorithm.ts';

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
    grant_types_supported: Object.keys(grants),
    token_endpoint_auth_methods_supported: Object.keys(authenticationMethods),
    access_token_signing_alg_values_supported: [signingAlgorithm],
    tls_client_certificate_bound_access_tokens: true,
    mtls_endpoint_aliases: { token_endpoint: `${withoutTrailingSlash(mtlsUrl)}/token` },
  };
}
