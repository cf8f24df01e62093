import type { ReasonTable } from './reason.ts';

/** Why an access token is not acceptable: introspection reports it as not active, and the edge denies the request. */
export const tokenReasons = {
  token_malformed: {
    meaning: 'The token is not a signed JWT as this server writes them.',
    cause: 'An opaque token, one of another server, or one that was cut off on its way.',
    fix: 'See the reason. Let the client send the access token exactly as it received it.',
    denial: 'invalid_token',
  },
  token_type_wrong: {
    meaning: 'The token is a JWT, but not an access token: its typ is not at+jwt.',
    cause: 'The client sends an ID token, or an introspection response.',
    fix: 'Let the client send the access_token of the token response.',
    denial: 'invalid_token',
  },
  token_key_unknown: {
    meaning: 'The server has no key with the kid of the token.',
    cause: 'The token is of another server or environment, or its key was revoked or removed before the token expired.',
    fix: 'Compare the iss of the token with the issuer. After an emergency rotation, clients request new tokens.',
    denial: 'invalid_token',
  },
  token_algorithm_mismatch: {
    meaning: 'The alg of the token is not that of its key.',
    cause: 'The token is forged.',
    fix: 'Nothing, if this is an attack. Find out where the client got the token.',
    denial: 'invalid_token',
  },
  token_signature_invalid: {
    meaning: 'The signature of the token is not one of the key that its kid names.',
    cause: 'The token was changed, is forged, or is of another server with the same kid.',
    fix: 'Find out where the client got the token.',
    denial: 'invalid_token',
  },
  token_issuer_mismatch: {
    meaning: 'The token has another issuer than this server.',
    cause: 'Two environments share a signing key, or COUNTERSIGN_ISSUER was changed.',
    fix: 'Use a key of its own in each environment. After a change of the issuer, clients request new tokens.',
    denial: 'invalid_token',
  },
  token_expired: {
    meaning: 'The token has expired.',
    cause: 'The client caches tokens for longer than expires_in.',
    fix: 'Let the client request a new token before the old one expires, or when it gets 401.',
    denial: 'invalid_token',
  },
  token_not_yet_valid: {
    meaning: 'The token is not valid yet.',
    cause: 'The clocks of two replicas differ by more than 5 seconds.',
    fix: 'Synchronize the clocks of all replicas (NTP).',
    denial: 'invalid_token',
  },
  token_revoked: {
    meaning: 'The token is revoked.',
    cause: 'Its client revoked it, or someone ran `countersign tokens revoke`.',
    fix: 'Run `countersign tokens revoked`. Let the client request a new token.',
    denial: 'invalid_token',
  },
  token_client_unknown: {
    meaning: 'The client of the token is not registered any more.',
    cause: 'Its record was removed after the token was issued.',
    fix: 'Apply the record of the client again, if it was removed by mistake.',
    denial: 'invalid_token',
  },
  token_client_disabled: {
    meaning: 'The client of the token is disabled.',
    cause: 'Someone ran `countersign clients disable` after the token was issued.',
    fix: 'Find out why, then run `countersign clients enable CLIENT_ID`.',
    denial: 'invalid_token',
  },
  token_client_record_invalid: {
    meaning: 'The record of the client of the token is not valid.',
    cause: 'It was written by hand, by another version, or under other settings than those of this server.',
    fix: 'See the reason, correct the record in its file, and apply it.',
    denial: 'invalid_token',
  },
  introspection_unregistered: {
    meaning: 'The token belongs to another client, and no resource of its audience lists the caller for introspection.',
    cause: 'introspection_clients of the resource lacks the client_id of the API.',
    fix: 'Add the client_id of the API to introspection_clients of its resource.',
  },
  token_unbound: {
    meaning: 'The token is not bound to a certificate, so anyone who has it could use it.',
    cause: 'It was minted at the edge for a resource whose record has binding: none.',
    fix: 'Let the client request its own token from the token endpoint.',
    denial: 'invalid_token',
  },
  token_audience_mismatch: {
    meaning: 'The token is for another audience than the resource.',
    cause: 'The client uses the token of another API.',
    fix: 'Let the client request a token with the resource parameter, or with a scope of this API.',
    denial: 'invalid_token',
  },
  token_certificate_mismatch: {
    meaning: 'The token is bound to another certificate than the one of this connection.',
    cause: 'The client renewed its certificate and still uses the old token, or the token was stolen.',
    fix: 'Let the client request a new token after it renewed its certificate. Otherwise revoke the token.',
    denial: 'invalid_token',
  },
} as const satisfies ReasonTable;
