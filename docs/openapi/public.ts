import {
  type ErrorCode,
  type ErrorStatusTable,
  errorStatus,
  tokenStateErrorStatus,
} from '../../src/oauth/oauth-error.ts';
import { header, jsonResponse, noStoreHeaders, type Operation, type ResponseObject, reference } from './operation.ts';

/** The operations of the public listener, by path and method. Each is also served below the path of the issuer. */

const mutualTls = [{ mutualTLS: [] }] as const;

const form = (schema: Parameters<typeof reference>[0]) => ({
  required: true,
  content: { 'application/x-www-form-urlencoded': { schema: reference(schema) } },
});

/** Why an endpoint of clients rejects a request, by the status; those of the body are the same everywhere. */
const bodyErrors: Readonly<Record<string, string>> = {
  405: '`invalid_request`: the method is not POST',
  408: '`invalid_request`: the request body did not arrive in time',
  413: '`invalid_request`: the request body is larger than 64 KiB',
  415: '`invalid_request`: the request body is encoded, as with gzip',
  425: '`invalid_request`: the request was sent in TLS early data',
  431: '`invalid_request`: the request header or the client certificate is too large',
};

/** The error codes that every endpoint of clients has. */
const sharedCodes = ['invalid_request', 'invalid_client', 'server_error', 'temporarily_unavailable'] as const;

/**
 * @param statuses the status of each error code at the endpoint
 * @param ownCodes those that other endpoints do not have
 */
function errorResponses(statuses: ErrorStatusTable, ownCodes: readonly ErrorCode[]): Record<string, ResponseObject> {
  const descriptions = new Map(Object.entries(bodyErrors));
  for (const [status, codes] of Map.groupBy([...sharedCodes, ...ownCodes], (code) => String(statuses[code]))) {
    descriptions.set(status, codes.map((code) => `\`${code}\``).join(', '));
  }
  if (!descriptions.has('401'))
    descriptions.set('401', '`invalid_client`, if the request has an Authorization header other than Bearer');
  return Object.fromEntries(
    [...descriptions].map(([status, description]) => [status, jsonResponse(description, 'Error', headersOf(status))]),
  );
}

function headersOf(status: string): ResponseObject['headers'] {
  if (status === '401') return { ...noStoreHeaders, 'WWW-Authenticate': header('RFC 9110 §15.5.2') };
  if (status === '405') return { ...noStoreHeaders, Allow: header('The methods that are accepted') };
  if (status === '429' || status === '503') return { ...noStoreHeaders, 'Retry-After': header('In seconds') };
  return noStoreHeaders;
}

const tokenCodes = ['unauthorized_client', 'unsupported_grant_type', 'invalid_scope', 'invalid_target'] as const;

const requestToken: Operation = {
  operationId: 'requestToken',
  summary: 'Request an access token',
  description: 'The token endpoint (RFC 6749 §3.2). Its alias for mutual TLS is in the metadata (RFC 8705 §5).',
  tags: ['Clients'],
  security: mutualTls,
  requestBody: form('TokenRequest'),
  responses: {
    200: jsonResponse('The token', 'TokenResponse'),
    ...errorResponses(errorStatus, tokenCodes),
    429: jsonResponse('`temporarily_unavailable`: the client has obtained too many tokens', 'Error', headersOf('429')),
  },
};

const introspectToken: Operation = {
  operationId: 'introspectToken',
  summary: 'Find out whether a token is active',
  description: 'RFC 7662. A client may introspect its own tokens, and those for resources that list it.',
  tags: ['Clients'],
  security: mutualTls,
  parameters: [
    {
      name: 'Accept',
      in: 'header',
      required: false,
      description: '`application/token-introspection+jwt` for a signed response (RFC 9701)',
      schema: { type: 'string' },
    },
  ],
  requestBody: form('PresentedToken'),
  responses: {
    200: {
      description: 'The claims of an active token, or only that it is not active',
      headers: noStoreHeaders,
      content: {
        'application/json': { schema: reference('IntrospectionResponse') },
        'application/token-introspection+jwt': { schema: { type: 'string' } },
      },
    },
    ...errorResponses(tokenStateErrorStatus, []),
  },
};

const revokeToken: Operation = {
  operationId: 'revokeToken',
  summary: 'Revoke a token',
  description: 'RFC 7009. Only with clients in Redis. A client revokes its own tokens.',
  tags: ['Clients'],
  security: mutualTls,
  requestBody: form('PresentedToken'),
  responses: {
    200: { description: 'The token is revoked, or it was not active', headers: noStoreHeaders },
    ...errorResponses(tokenStateErrorStatus, ['invalid_grant']),
  },
};

const documentHeaders = { 'Cache-Control': header('public, max-age=300'), ETag: header('RFC 9110 §8.8.3') };

function document(
  operationId: string,
  summary: string,
  schema: Parameters<typeof reference>[0],
  type = 'application/json',
): Operation {
  return {
    operationId,
    summary,
    tags: ['Documents'],
    responses: {
      200: jsonResponse('The document', schema, documentHeaders, type),
      304: { description: 'The document has the ETag of If-None-Match', headers: documentHeaders },
      405: jsonResponse('`invalid_request`: the document is read-only', 'Error', headersOf('405')),
      503: jsonResponse('`temporarily_unavailable`: no key is published', 'Error', headersOf('503')),
    },
  };
}

const authorize: Operation = {
  operationId: 'authorize',
  summary: 'Rejects every request',
  description: 'OpenID Connect Discovery requires an authorization endpoint. No client may use it.',
  tags: ['Documents'],
  responses: { 400: jsonResponse('`unauthorized_client`', 'Error') },
};

export const publicPaths = {
  '/token': { post: requestToken },
  '/introspect': { post: introspectToken },
  '/revoke': { post: revokeToken },
  '/jwks': { get: document('getKeys', 'Get the public keys', 'JwkSet', 'application/jwk-set+json') },
  '/.well-known/oauth-authorization-server': {
    get: document('getMetadata', 'Get the authorization server metadata', 'AuthorizationServerMetadata'),
  },
  '/.well-known/openid-configuration': {
    get: document('getOpenidConfiguration', 'Get the OpenID Provider metadata', 'OpenidProviderMetadata'),
  },
  '/authorize': { get: authorize },
} as const;
