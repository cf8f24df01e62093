import { authenticationMethodNames } from '../../src/clients/methods/methods.ts';
import { grantTypes } from '../../src/oauth/grammar.ts';
import { errorStatus } from '../../src/oauth/oauth-error.ts';
import { signingAlgorithmNames } from '../../src/tokens/algorithms/signing-algorithm.ts';

/** Schemas of what requests and responses contain, by name: `components.schemas` of the OpenAPI document. */

const text = (description: string, more: object = {}) => ({ type: 'string', description, ...more });
const listOf = (description: string, items: object = { type: 'string' }) => ({ type: 'array', description, items });
const seconds = (description: string) => ({
  type: 'integer',
  description: `${description}, in seconds since the epoch`,
});

const clientId = text('The client. It may also be the user name of HTTP Basic, with an empty password', {
  examples: ['mtls.client'],
});

const tokenRequest = {
  type: 'object',
  required: ['grant_type'],
  properties: {
    grant_type: text('The grant', { enum: grantTypes }),
    client_id: clientId,
    scope: text('The requested scope, separated by spaces; without it, everything that the client is registered for', {
      examples: ['api1 api2'],
    }),
    resource: listOf(
      'The APIs that the token is for (RFC 8707 §2); may be repeated. Compared as URIs (RFC 3986 §6.2)',
      {
        type: 'string',
        format: 'uri',
      },
    ),
  },
};

const tokenResponse = {
  type: 'object',
  required: ['access_token', 'token_type', 'expires_in'],
  properties: {
    access_token: text('A JWT (RFC 9068) whose cnf names the client certificate (RFC 8705 §3.1)'),
    token_type: { const: 'Bearer' },
    expires_in: { type: 'integer', description: 'Lifetime in seconds', minimum: 1 },
    scope: text('The scope of the token, separated by spaces'),
  },
  additionalProperties: false,
};

const presentedToken = {
  type: 'object',
  required: ['token'],
  properties: {
    client_id: clientId,
    token: text('The token in question'),
    token_type_hint: text('Ignored: all tokens are access tokens'),
  },
};

const introspectionResponse = {
  type: 'object',
  required: ['active'],
  description: 'All claims of an active token; of any other token, only that it is not active (RFC 7662 §2.2)',
  properties: {
    active: { type: 'boolean' },
    token_type: { const: 'Bearer' },
    iss: text('The issuer'),
    sub: text('The subject'),
    aud: { anyOf: [{ type: 'string' }, listOf('Several audiences')] },
    client_id: text('The client of the token'),
    scope: text('Separated by spaces'),
    iat: seconds('When it was issued'),
    nbf: seconds('From when it is valid'),
    exp: seconds('When it expires'),
    jti: text('The identifier of the token'),
    cnf: {
      type: 'object',
      properties: { 'x5t#S256': text('Thumbprint of the certificate: base64url SHA-256 of its DER (RFC 8705 §3.1)') },
    },
  },
};

const error = {
  type: 'object',
  required: ['error', 'error_description'],
  description: 'RFC 6749 §5.2. The description never states which check failed; the audit log does',
  properties: {
    error: text('The error code', { enum: Object.keys(errorStatus) }),
    error_description: { type: 'string' },
  },
  additionalProperties: false,
};

const jwkSet = {
  type: 'object',
  required: ['keys'],
  properties: {
    keys: listOf('The public keys, also of tokens that are not issued yet (RFC 7517 §5)', {
      type: 'object',
      required: ['kty', 'kid', 'alg', 'use'],
      properties: {
        kty: { type: 'string' },
        kid: text('RFC 7638 thumbprint, or the kid of the imported key'),
        alg: text('The one algorithm of this key', { enum: signingAlgorithmNames }),
        use: { const: 'sig' },
      },
      not: { anyOf: [{ required: ['d'] }, { required: ['priv'] }] },
    }),
  },
};

const endpoints = {
  token_endpoint: { type: 'string', format: 'uri' },
  introspection_endpoint: { type: 'string', format: 'uri' },
  revocation_endpoint: { type: 'string', format: 'uri' },
};
const methods = listOf('Client authentication methods', { enum: authenticationMethodNames });

const authorizationServerMetadata = {
  type: 'object',
  required: ['issuer', 'token_endpoint', 'jwks_uri', 'response_types_supported', 'mtls_endpoint_aliases'],
  properties: {
    issuer: { type: 'string', format: 'uri' },
    ...endpoints,
    jwks_uri: { type: 'string', format: 'uri' },
    response_types_supported: listOf('None that gives a token', { const: 'none' }),
    grant_types_supported: listOf('Grants', { enum: grantTypes }),
    token_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods,
    introspection_signing_alg_values_supported: listOf('RFC 9701 §7', { enum: signingAlgorithmNames }),
    tls_client_certificate_bound_access_tokens: { const: true },
    mtls_endpoint_aliases: { type: 'object', description: 'RFC 8705 §5', properties: endpoints },
  },
};

const openidProviderMetadata = {
  allOf: [
    { $ref: '#/components/schemas/AuthorizationServerMetadata' },
    {
      type: 'object',
      required: ['authorization_endpoint', 'subject_types_supported', 'id_token_signing_alg_values_supported'],
      properties: {
        authorization_endpoint: { type: 'string', format: 'uri' },
        subject_types_supported: listOf('Always public', { const: 'public' }),
        id_token_signing_alg_values_supported: listOf('The algorithms of all tokens, and RS256'),
        request_uri_parameter_supported: { const: false },
      },
    },
  ],
};

export const schemas = {
  TokenRequest: tokenRequest,
  TokenResponse: tokenResponse,
  PresentedToken: presentedToken,
  IntrospectionResponse: introspectionResponse,
  Error: error,
  JwkSet: jwkSet,
  AuthorizationServerMetadata: authorizationServerMetadata,
  OpenidProviderMetadata: openidProviderMetadata,
} as const;
