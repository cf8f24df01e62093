import type { DifferenceName } from './differences.ts';

/** What becomes of a property. */
export type Handling =
  /** Carried over. */
  | { readonly kind: 'imported'; readonly as: string }
  /** Not carried over: a value other than the default is noted. */
  | { readonly kind: 'noted'; readonly difference: DifferenceName }
  /** Without meaning for the tokens of machines. */
  | { readonly kind: 'irrelevant'; readonly reason: string };

const as = (text: string): Handling => ({ kind: 'imported', as: text });
const noted = (difference: DifferenceName): Handling => ({ kind: 'noted', difference });
const irrelevant = (reason: string, names: string): Record<string, Handling> =>
  Object.fromEntries(names.split(' ').map((name) => [name, { kind: 'irrelevant', reason }]));

const DISPLAY = 'for display';
const SERVER = 'of the server ([configuration.md](configuration.md))';
const USERS = 'for users and their browsers';

/** Of `IdentityServerOptions`: a dot leads into the options of a part. */
const serverOptions: Readonly<Record<string, Handling>> = {
  IssuerUri: as('the issuer in aud with EmitStaticAudienceClaim; set COUNTERSIGN_ISSUER yourself'),
  AccessTokenJwtType: noted('jwt_type'),
  EmitScopesAsSpaceDelimitedStringInJwt: as('access_token_scope_claim: array, unless it is true'),
  EmitStaticAudienceClaim: as('ISSUER/resources in audience, if the file has IssuerUri'),
  EmitLegacyResourceAudienceClaim: as('the same (IdentityServer4 before v4)'),
  'Endpoints.EnableTokenEndpoint': noted('token_endpoint_off'),
  'InputLengthRestrictions.ClientId': as('the note that a client never worked'),
  'InputLengthRestrictions.Scope': as('the note that requests without a scope fail'),
  'PushedAuthorization.AllowUnregisteredPushedRedirectUris': as('the note that a client never worked'),
  'MutualTls.AlwaysEmitConfirmationClaim': as('always: every token has cnf'),
  ...irrelevant('set COUNTERSIGN_ISSUER to what clients and APIs use', 'LowerCaseIssuerUri PublicOrigin'),
  ...irrelevant(SERVER, 'Endpoints InputLengthRestrictions MutualTls KeyManagement'),
  ...irrelevant(SERVER, 'Caching Cors Csp Events Logging Diagnostics Discovery'),
  ...irrelevant(SERVER, 'PersistentGrants StoragePurge LicenseKey Preview'),
  ...irrelevant(
    'of other ways to authenticate a client',
    'JwtValidationClockSkew StrictClientAssertionAudienceValidation',
  ),
  ...irrelevant('of other ways to authenticate a client', 'SupportedClientAssertionSigningAlgorithms DPoP'),
  ...irrelevant(USERS, 'Authentication UserInteraction Validation DeviceFlow Ciba DynamicProviders ServerSideSessions'),
  ...irrelevant(
    USERS,
    'PushedAuthorization EmitIssuerIdentificationResponseParameter EmitStateHash StrictJarValidation',
  ),
  ...irrelevant(USERS, 'SupportedRequestObjectSigningAlgorithms ValidateTenantOnAuthorization LogoutTokenJwtType Saml'),
};

const clientProperties: Readonly<Record<string, Handling>> = {
  ClientId: as('client_id'),
  ClientName: as('client_name'),
  ClientUri: as('client_uri'),
  Description: as('a comment above the client'),
  Enabled: as('enabled'),
  ProtocolType: as('a client of another protocol than oidc is left out'),
  AllowedGrantTypes: as('a client without client_credentials is left out; others are noted'),
  ClientSecrets: as('client_secrets: each X509Name and X509Thumbprint that has not ended; others are noted'),
  RequireClientSecret: noted('never_worked'),
  AllowedScopes: as('scope, without identity scopes, and without those that are disabled or missing in ApiScopes'),
  AccessTokenLifetime: as('access_token_lifetime, limited to 10 to 86400 seconds'),
  Claims: as('claims, with the prefix; several of one type are a list; numbers, Booleans and JSON by ValueType'),
  ClientClaimsPrefix: as('the prefix of claims'),
  AccessTokenType: noted('reference_token'),
  IncludeJwtId: noted('jwt_id'),
  RequireDPoP: noted('dpop'),
  ...irrelevant('machines always get their claims', 'AlwaysSendClientClaims'),
  ...irrelevant('read only by code of your own; named in a comment', 'Properties'),
  ...irrelevant('of DPoP, which RequireDPoP notes', 'DPoPValidationMode DPoPClockSkew'),
  ...irrelevant(DISPLAY, 'LogoUri'),
  ...irrelevant(
    USERS,
    'RequireConsent AllowRememberConsent ConsentLifetime RequirePkce AllowPlainTextPkce RequireRequestObject ' +
      'AllowAccessTokensViaBrowser RedirectUris PostLogoutRedirectUris FrontChannelLogoutUri ' +
      'FrontChannelLogoutSessionRequired BackChannelLogoutUri BackChannelLogoutSessionRequired AllowOfflineAccess ' +
      'AlwaysIncludeUserClaimsInIdToken IdentityTokenLifetime AllowedIdentityTokenSigningAlgorithms ' +
      'AuthorizationCodeLifetime AbsoluteRefreshTokenLifetime SlidingRefreshTokenLifetime RefreshTokenUsage ' +
      'UpdateAccessTokenClaimsOnRefresh RefreshTokenExpiration EnableLocalLogin IdentityProviderRestrictions ' +
      'PairWiseSubjectSalt UserSsoLifetime UserCodeType DeviceCodeLifetime CibaLifetime PollingInterval ' +
      'CoordinateLifetimeWithUserSession AllowedCorsOrigins InitiateLoginUri RequirePushedAuthorization ' +
      'PushedAuthorizationLifetime',
  ),
};

const resourceProperties: Readonly<Record<string, Handling>> = {
  Name: as('a value of audience, or of isolated_audience'),
  Enabled: as('a disabled one is left out'),
  Scopes: as('the scopes whose tokens have it in aud'),
  RequireResourceIndicator: as('isolated_audience: in aud only if the request names it with resource'),
  AllowedAccessTokenSigningAlgorithms: noted('signing_algorithm'),
  ...irrelevant('of APIs that introspect tokens: register each as a client', 'ApiSecrets'),
  ...irrelevant('of users', 'UserClaims'),
  ...irrelevant(DISPLAY, 'DisplayName Description ShowInDiscoveryDocument Properties'),
};

const scopeProperties: Readonly<Record<string, Handling>> = {
  Name: as('scope'),
  Enabled: as('a disabled one is left out'),
  ...irrelevant('of users', 'Required Emphasize UserClaims'),
  ...irrelevant(DISPLAY, 'DisplayName Description ShowInDiscoveryDocument Properties'),
};

/** The lists of a configuration, which are read beside the options. */
export const lists = ['Clients', 'ApiResources', 'ApiScopes', 'IdentityResources'] as const;

/**
 * Every property of IdentityServer's classes, of IdentityServer4 from 2.3 to Duende IdentityServer 8.0, and what becomes of
 * it. The import notes a property that is not in this table; docs/move-from-identityserver.md is generated from it.
 */
export const options = {
  IdentityServerOptions: serverOptions,
  Client: clientProperties,
  ApiResource: resourceProperties,
  ApiScope: scopeProperties,
} as const;

/** The entries by name in lower case: .NET configuration keys are case-insensitive. */
const byName = Object.fromEntries(
  Object.entries(options).map(([type, properties]) => [
    type,
    new Map(Object.entries(properties).map(([name, handling]) => [name.toLowerCase(), handling])),
  ]),
);

/** What becomes of a property; undefined if no version of IdentityServer has it. */
export function handlingOf(type: keyof typeof options, name: string): Handling | undefined {
  return byName[type]?.get(name.toLowerCase());
}
