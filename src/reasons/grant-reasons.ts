import type { ReasonTable } from './reason.ts';

/** What an authenticated client asks for, and may not have. */
export const grantReasons = {
  grant_type_missing: {
    meaning: 'The form has no grant_type.',
    cause: 'The client sends another body than a token request.',
    fix: 'Send grant_type=client_credentials.',
    error: 'invalid_request',
  },
  grant_type_unsupported: {
    meaning: 'The server does not have this grant type.',
    cause: 'The client is configured for a flow with users, or for refresh tokens.',
    fix: 'Send grant_type=client_credentials.',
    error: 'unsupported_grant_type',
  },
  grant_type_unregistered: {
    meaning: 'The client is not registered for this grant type.',
    cause: 'grant_types of its record is empty or lists others.',
    fix: 'Add the grant type to the record.',
    error: 'unauthorized_client',
  },
  scope_malformed: {
    meaning: 'The scope parameter is not a list of scope tokens with spaces between them.',
    cause: 'The client separates scopes with tabs or line breaks, or quotes them.',
    fix: 'Separate scopes with one space (RFC 6749 §3.3).',
    error: 'invalid_scope',
  },
  scope_unregistered: {
    meaning: 'The client is not registered for a scope that it requests, or that a resource requires.',
    cause: 'A new scope that was not added to the record, or a typing error.',
    fix: 'Add the scope to the record, or remove it from the request.',
    error: 'invalid_scope',
  },
  scope_resource_mismatch: {
    meaning: 'A requested scope does not belong to the requested resource.',
    cause: 'The client requests the scopes of several APIs with the resource of one.',
    fix: 'Request one token for each API, or name all resources.',
    error: 'invalid_target',
  },
  resource_malformed: {
    meaning: 'A resource parameter is not an absolute URI without a fragment.',
    cause: 'The client sends a name in place of a URI (RFC 8707 §2).',
    fix: 'Send the audience of the API as registered.',
    error: 'invalid_target',
  },
  resource_unregistered: {
    meaning: 'The client is not registered for a resource that it requests, or that is checked at the edge.',
    cause: 'The audience of the API is not in the record of the client, or differs by more than equivalent URIs do.',
    fix: 'Add the audience to the record of the client.',
    error: 'invalid_target',
  },
  resource_isolated: {
    meaning:
      'A request names an isolated audience of the client together with another resource, or names none, and the ' +
      'issuer is isolated, which would be the aud.',
    cause: 'The client requests one token for several APIs, and one of them is in isolated_audience.',
    fix: 'Request a token for the isolated audience alone.',
    error: 'invalid_target',
  },
  token_rate_exceeded: {
    meaning: 'The client has obtained as many tokens as its record allows (token_rate).',
    cause: 'The client requests a token for each call, instead of using one until it expires.',
    fix: 'Let the client cache its token, or raise token_rate in its record.',
    error: 'temporarily_unavailable',
    status: 429,
    denial: 'rate_limited',
  },
  resource_record_invalid: {
    meaning: 'The record of a resource in Redis is not valid, or too many resources have the audience.',
    cause: 'The record was written by hand, by another version, or under other settings than those of this server.',
    fix: 'See the reason, correct the record in its file, and apply it.',
    error: 'invalid_target',
  },
  signing_algorithm_conflict: {
    meaning: 'The resources of the token require different signing algorithms.',
    cause: 'The client requests one token for APIs whose records differ in signing_algorithm.',
    fix: 'Request one token for each API.',
    error: 'invalid_target',
  },
  token_of_other_client: {
    meaning: 'The token that the client wants to revoke was issued to another client.',
    cause: 'A client revokes a token that it received in a request.',
    fix: 'Let the client of the token revoke it, or run `countersign tokens revoke`.',
    error: 'invalid_grant',
  },
} as const satisfies ReasonTable;
