import type { ReasonTable } from './reason.ts';

/** Which client the request is from, and whether it proves that. */
export const clientReasons = {
  client_id_missing: {
    meaning: 'The request names no client.',
    cause: 'The client library sends client_id only together with a secret.',
    fix: 'Send client_id in the form (RFC 8705 §2), or in Basic with an empty password.',
    error: 'invalid_client',
  },
  client_id_malformed: {
    meaning: 'The client_id has a character that no client_id may have, or is longer than 255 characters.',
    cause: 'The client encodes it twice, or a template was not filled in.',
    fix: 'Send the client_id as registered.',
    error: 'invalid_client',
  },
  client_id_mismatch: {
    meaning: 'The form and the Authorization header name different clients.',
    cause: 'A client library and the application both set the client_id.',
    fix: 'Send the client_id in one place.',
    error: 'invalid_request',
  },
  authorization_unsupported: {
    meaning: 'The Authorization header is neither Basic nor one Bearer token, which counts as absent.',
    cause: 'A client uses another scheme, a proxy adds a header of its own, or the header is repeated.',
    fix: 'Remove the header. A client with a certificate needs none.',
    error: 'invalid_client',
  },
  authorization_malformed: {
    meaning: 'The Basic credentials are not base64 of a form-encoded client_id and password with a colon between them.',
    cause: 'A client builds the header by hand.',
    fix: 'Send client_id in the form instead, without an Authorization header.',
    error: 'invalid_client',
  },
  authentication_methods_multiple: {
    meaning: 'The request uses more than one method of client authentication.',
    cause: 'A client with a certificate sends a secret or an assertion as well.',
    fix: 'Remove the secret or the assertion from the configuration of the client (RFC 6749 §2.3).',
    error: 'invalid_request',
  },
  client_unknown: {
    meaning: 'No client is registered under this client_id.',
    cause: 'A typing error, a client of another environment, or its record was not applied or was removed.',
    fix: 'Compare the client_id with those of your clients file, or of `countersign clients list`, and apply its record.',
    error: 'invalid_client',
  },
  client_disabled: {
    meaning: 'The client is disabled.',
    cause: 'Its record has enabled: false, or someone ran `countersign clients disable`.',
    fix: 'Find out why, then run `countersign clients enable CLIENT_ID`.',
    error: 'invalid_client',
  },
  client_record_invalid: {
    meaning: 'The record of the client in Redis is not valid, so it permits nothing.',
    cause: 'It was written by hand, by another version, or under other settings than those of this server.',
    fix: 'See the reason, correct the record in its file, and apply it.',
    error: 'invalid_client',
  },
  client_method_unsupported: {
    meaning: 'The client is registered for a method of authentication that the server does not have.',
    cause: 'The record was written by a newer version.',
    fix: 'Upgrade the server, or register the client for tls_client_auth or self_signed_tls_client_auth.',
    error: 'invalid_client',
  },
  client_method_mismatch: {
    meaning: 'The request uses another method of authentication than the client is registered for.',
    cause: 'The client sends a secret or an assertion, and is registered with a certificate.',
    fix: 'Give the client its certificate, and remove the secret or the assertion from its configuration.',
    error: 'invalid_client',
  },
  certificate_unregistered: {
    meaning: 'The certificate is not registered for the client.',
    cause: 'The client renewed its certificate, or uses that of another client or environment.',
    fix: 'Run `countersign certificate FILE` on the new certificate and add its thumbprint to the record.',
    error: 'invalid_client',
  },
  registration_not_started: {
    meaning: 'The certificate is registered for the client from a later time on.',
    cause: 'not_before of the registration is in the future: a day begins at midnight UTC.',
    fix: 'Wait, or correct not_before in the record.',
    error: 'invalid_client',
  },
  registration_ended: {
    meaning: 'The registration of the certificate or of the subject has ended.',
    cause: 'not_after of the registration, or the expiration of an imported secret, is in the past.',
    fix: 'Register the new certificate of the client, or correct not_after or expiration in the record.',
    error: 'invalid_client',
  },
  signature_algorithm_weak: {
    meaning: 'The certificate is signed with SHA-1, MD5 or an unknown algorithm.',
    cause: 'An old CA, whose chain the terminator verified nevertheless.',
    fix: 'Let the CA sign with SHA-256 or better.',
    error: 'invalid_client',
  },
  ca_pin_mismatch: {
    meaning: 'The path of the certificate goes through none of the CAs to which the client is pinned.',
    cause: 'The certificate is from another CA, or the CA changed its key.',
    fix: 'Compare tls_client_auth_ca in the record with the keys that the reason names.',
    error: 'invalid_client',
  },
  ca_pin_unverifiable: {
    meaning: 'The client is pinned to a CA, and the server does not know the path of the certificate.',
    cause: 'The terminator verifies the chain: COUNTERSIGN_CHAIN_VERIFIED_BY is not countersign.',
    fix: 'Set COUNTERSIGN_CLIENT_CA_FILE, so that the server validates paths itself.',
    error: 'invalid_client',
  },
  subject_dn_mismatch: {
    meaning: 'The subject of the certificate is not the one that the client registered.',
    cause: 'Another order of the attributes, another organizational unit, or the certificate of another client.',
    fix: 'Run `countersign certificate FILE` and register the subject that it prints.',
    error: 'invalid_client',
  },
  subject_dn_unmatchable: {
    meaning: 'The subject of the certificate has a value that can match no client.',
    cause: 'A value that is not valid text, or that has a character which never matches (RFC 4518).',
    fix: 'Issue the certificate with another subject, or register an alternative name or the certificate itself.',
    error: 'invalid_client',
  },
  san_mismatch: {
    meaning: 'None of the subject alternative names of the certificate is the one that the client registered.',
    cause: 'The name is of another type (DNS, URI, IP, email), or the certificate is that of another client.',
    fix: 'Run `countersign certificate FILE` and register a name that it prints.',
    error: 'invalid_client',
  },
  spiffe_id_mismatch: {
    meaning: 'The SPIFFE ID of the certificate does not match that of the client.',
    cause: 'The workload has another path or trust domain than the registered pattern.',
    fix: 'Compare tls_client_auth_spiffe_id in the record with the SPIFFE ID that the reason names.',
    error: 'invalid_client',
  },
  spiffe_id_missing: {
    meaning: 'The certificate is not the X509-SVID of a workload, and the client is registered by SPIFFE ID.',
    cause: 'The certificate has no URI or several, or is one that may sign others (X509-SVID §5.2).',
    fix: 'Let the client use the certificate that SPIRE or the mesh issues for the workload.',
    error: 'invalid_client',
  },
  certificate_client_unknown: {
    meaning:
      'No client is registered by an identity of the certificate, or the certificate authenticates none of several.',
    cause: 'At the edge, the client is found by its certificate alone, and nothing in it is registered.',
    fix: 'Run `countersign clients show --certificate FILE`, and register the client.',
    error: 'invalid_client',
  },
  certificate_identities_excessive: {
    meaning: 'The certificate has too many identities, or too many clients are registered by them.',
    cause: 'The certificate has dozens of alternative names, or hundreds of clients share one.',
    fix: 'Issue the certificate with the names of one client, and register a name that only this client has.',
    error: 'invalid_client',
  },
  certificate_ambiguous: {
    meaning: 'The certificate authenticates more than one client.',
    cause: 'Several clients are registered by the same certificate, or by different identities of it.',
    fix: 'Let the client ask for a token itself, or register the certificate for one of them only: `countersign clients show --certificate FILE`.',
    denial: 'access_denied',
  },
} as const satisfies ReasonTable;
