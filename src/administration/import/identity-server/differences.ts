import { LIFETIME_CHANGED, type Note, SCOPE_MALFORMED } from '../draft.ts';

/** How a client or its tokens differ after the import. The documentation lists all of them. */
interface Difference {
  /** In the summary and the page; what both servers do is in it. */
  readonly title: string;
  /** The properties and options of IdentityServer that cause it. */
  readonly causes: readonly string[];
}

export const differences = {
  never_worked: {
    title: 'IdentityServer rejects this client, so it never worked there; here it gets tokens',
    causes: [
      'RequireClientSecret',
      'AllowedScopes',
      'ClientSecrets',
      'RedirectUris',
      'AllowedCorsOrigins',
      '*Lifetime',
    ],
  },
  mixed_client: {
    title: 'a file replaces the ClientId of a client in an earlier file, so that client is mixed with it, as in .NET',
    causes: ['ClientId'],
  },
  secret_never_matched: {
    title: 'a secret never matched in IdentityServer; here its certificate is accepted',
    causes: ['ClientSecrets: Type, Value'],
  },
  secret_of_windows: {
    title: 'a name is written as .NET on Windows prints it, and matched only there; here it matches everywhere',
    causes: ['ClientSecrets: Value'],
  },
  secret_invalid: {
    title: 'a secret was not imported, because of what the comment above the client states',
    causes: ['ClientSecrets: Value, Expiration'],
  },
  other_secrets: {
    title: 'secrets that are not client certificates were not imported: requests with them are rejected',
    causes: ['ClientSecrets: SharedSecret, X509CertificateBase64, JWK'],
  },
  other_grants: {
    title: 'grant types other than client_credentials were not imported: their requests stay on IdentityServer',
    causes: ['AllowedGrantTypes'],
  },
  scope_omitted: {
    title:
      'requests without a scope fail in IdentityServer because a scope of the client is disabled, or an identity scope as well; here they get the others',
    causes: ['AllowedScopes', 'ApiScopes: Enabled'],
  },
  scopes_too_long: {
    title:
      'requests without a scope fail in IdentityServer because all scopes together are too long; here they get them',
    causes: ['AllowedScopes', 'InputLengthRestrictions.Scope'],
  },
  scope_malformed: {
    title: SCOPE_MALFORMED,
    causes: ['AllowedScopes'],
  },
  no_audience: {
    title: 'tokens without an API resource have no aud in IdentityServer; here their aud is the issuer',
    causes: ['ApiResources'],
  },
  static_audience: {
    title: 'the aud also has ISSUER/resources in IdentityServer; here it does not, because the file has no IssuerUri',
    causes: ['EmitStaticAudienceClaim', 'EmitLegacyResourceAudienceClaim'],
  },
  static_audience_of_resource: {
    title:
      'the aud of a request with resource also has ISSUER/resources in IdentityServer; here it is the resource alone',
    causes: ['EmitStaticAudienceClaim', 'EmitLegacyResourceAudienceClaim'],
  },
  signing_algorithm: {
    title:
      "an API resource requires a signing algorithm; here the server's key determines it (COUNTERSIGN_SIGNING_KEY)",
    causes: ['ApiResources: AllowedAccessTokenSigningAlgorithms'],
  },
  resource_invalid: {
    title: 'an API resource or scope was not imported because it has a value that .NET cannot read either',
    causes: ['ApiResources', 'ApiScopes'],
  },
  lifetime: {
    title: LIFETIME_CHANGED,
    causes: ['AccessTokenLifetime'],
  },
  reference_token: {
    title: 'access tokens are reference tokens in IdentityServer; here they are JWTs',
    causes: ['AccessTokenType'],
  },
  jwt_id: {
    title: 'tokens have no jti in IdentityServer; here every token has one',
    causes: ['IncludeJwtId'],
  },
  claim_omitted: {
    title: 'a claim was not imported',
    causes: ['Claims'],
  },
  claim_changed: {
    title: 'a claim is a number in IdentityServer that JSON does not represent exactly; here it is a string',
    causes: ['Claims: ValueType'],
  },
  dpop: {
    title: 'tokens are bound to a DPoP key in IdentityServer; here to the client certificate, and proofs are not read',
    causes: ['RequireDPoP'],
  },
  jwt_type: {
    title: 'the typ of tokens is another one in IdentityServer; here it is at+jwt (RFC 9068 §2.1)',
    causes: ['AccessTokenJwtType'],
  },
  token_endpoint_off: {
    title: 'the token endpoint is switched off in IdentityServer; here it is on',
    causes: ['Endpoints.EnableTokenEndpoint'],
  },
  unknown_property: {
    title: 'a property that the import does not know was not imported',
    causes: ['any other'],
  },
} as const satisfies Record<string, Difference>;

export type DifferenceName = keyof typeof differences;

/** @param text what changes for this client; the title by default */
export function noteOf(name: DifferenceName, text: string = differences[name].title): Note {
  return { difference: differences[name].title, text };
}
