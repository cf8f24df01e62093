import type { ReasonTable } from './reason.ts';

/** Whether the chain of the certificate is verified: by the terminator, and by path validation (RFC 5280 §6). */
export const pathReasons = {
  verification_failed: {
    meaning: 'The terminator did not verify the certificate: its verification header is absent or negative.',
    cause: 'The certificate is expired, revoked or from an unknown CA, or the proxy does not set the header.',
    fix: 'See the reason, which quotes the header. If it is absent, set it in the proxy as its page documents.',
    error: 'invalid_client',
  },
  verification_issuer_unknown: {
    meaning: 'The terminator knows no issuer of the certificate, and the client registered tls_client_auth.',
    cause: 'The certificate is self-signed or from another CA, or the terminator lacks an intermediate or the root.',
    fix: 'Give the client a certificate of the configured CA, or give the terminator the file of COUNTERSIGN_CLIENT_CA_FILE.',
    error: 'invalid_client',
  },
  verification_revoked: {
    meaning: 'The terminator rejects the certificate because a CRL of the terminator lists it.',
    cause: 'The CA revoked the certificate.',
    fix: 'Issue a new certificate for the client.',
    error: 'invalid_client',
  },
  verification_names_excluded: {
    meaning: 'The terminator rejects the certificate because a name in it violates the name constraints of its CA.',
    cause: 'The CA may issue certificates for certain names only, and issued this one for another.',
    fix: 'Issue the certificate with a name that the CA may use, or change the constraints of the CA.',
    error: 'invalid_client',
  },
  verification_contradicted: {
    meaning: 'The terminator rejects the certificate without a reason, and the server finds a valid path.',
    cause: 'The terminator has a CRL or lacks a CA certificate, or the clocks differ.',
    fix: 'Compare the CA certificates, the CRLs and the clocks of the terminator and the server.',
    error: 'invalid_client',
  },
  verification_unavailable: {
    meaning:
      'Nothing verifies the chain of the certificate, and the client registered tls_client_auth, which requires that.',
    cause: 'Neither COUNTERSIGN_CLIENT_CA_FILE nor a verification by the terminator is configured.',
    fix: 'Set COUNTERSIGN_CLIENT_CA_FILE, or register the certificate itself (self_signed_tls_client_auth).',
    error: 'invalid_client',
  },
  path_issuer_unknown: {
    meaning: 'The issuer of a certificate of the path is neither configured nor forwarded.',
    cause: 'An intermediate is missing, or the certificate is from a CA that is not trusted.',
    fix: 'Add the intermediate to COUNTERSIGN_CLIENT_CA_FILE, or let the client send its chain.',
    error: 'invalid_client',
  },
  path_signature_invalid: {
    meaning: 'A certificate of the path is not signed by the key of its issuer.',
    cause: 'Another CA of the same name issued it, the CA changed its key, or the certificate is forged.',
    fix: 'Add the CA certificate with the right key to COUNTERSIGN_CLIENT_CA_FILE.',
    error: 'invalid_client',
  },
  path_signature_weak: {
    meaning: 'A certificate of the path is signed with SHA-1, MD5 or an unknown algorithm.',
    cause: 'An old CA.',
    fix: 'Let the CA sign with SHA-256 or better.',
    error: 'invalid_client',
  },
  path_too_long: {
    meaning: 'There is no trust anchor within 6 CA certificates, or a CA does not allow so many below it.',
    cause: 'A CA was issued below one with a pathLenConstraint that is too small.',
    fix: 'Issue the intermediate with a suitable pathLenConstraint, or configure it as an anchor.',
    error: 'invalid_client',
  },
  path_search_stopped: {
    meaning: 'The search for a path was stopped, since the certificates have too many possible issuers or names.',
    cause: 'A client sends a chain that was made to be costly.',
    fix: 'Nothing, if this is an attack. Otherwise let the client send only the intermediates of its own path.',
    error: 'invalid_client',
  },
  path_validation_postponed: {
    meaning:
      'The path was not validated, because many certificates without a valid path were presented shortly before.',
    cause: 'Someone presents certificates of their own making, with long chains, again and again.',
    fix: 'Let the proxy require certificates of your CAs in the handshake. See docs/chains.md.',
    error: 'invalid_client',
  },
  path_expired: {
    meaning: 'A CA certificate of the path has expired.',
    cause: 'A CA was renewed, and the old certificate is still configured or sent.',
    fix: 'Replace the CA certificate that the reason names in COUNTERSIGN_CLIENT_CA_FILE, or in the chain of the client.',
    error: 'invalid_client',
  },
  path_not_yet_valid: {
    meaning: 'A CA certificate of the path is not valid yet.',
    cause: 'A new CA certificate is in use before its time, or the clock of the server is wrong.',
    fix: 'Compare the clocks, and wait or use the previous CA.',
    error: 'invalid_client',
  },
  path_name_constraint: {
    meaning: 'A name of the certificate is outside what a CA of its path may issue.',
    cause: 'The CA has name constraints, and issued a certificate for another domain or subject.',
    fix: 'Issue the certificate with a permitted name, or by another CA.',
    error: 'invalid_client',
  },
  path_policy: {
    meaning: 'The path requires a certificate policy, and has none that is valid all the way.',
    cause: 'A CA has requireExplicitPolicy, and a certificate below it lacks the policy.',
    fix: 'Issue the certificate with a policy of its CA.',
    error: 'invalid_client',
  },
  path_purpose_wrong: {
    meaning: 'A certificate of the path may not be used for this: its key usage or extended key usage excludes it.',
    cause: 'A CA that may only issue server certificates, or a leaf whose key usage lacks digitalSignature.',
    fix: 'Issue the certificate by a CA for clients, with the key usage digitalSignature.',
    error: 'invalid_client',
  },
  path_extension_unknown: {
    meaning: 'A certificate of the path has a critical extension that the server does not process.',
    cause: 'A CA marks an extension of its own as critical.',
    fix: 'Issue the certificate with the extension marked as not critical.',
    error: 'invalid_client',
  },
  path_revoked: {
    meaning: 'A certificate of the path is on the CRL of its CA.',
    cause: 'It was revoked.',
    fix: 'Have a new certificate issued for the client.',
    error: 'invalid_client',
  },
  path_revocation_unknown: {
    meaning: 'It is unknown whether a certificate of the path is revoked, and COUNTERSIGN_CRL_MODE is require.',
    cause: 'The CRL of the CA is missing or has expired, or does not list such certificates.',
    fix: 'See the reason. Publish a current CRL, and check COUNTERSIGN_CLIENT_CRLS.',
    error: 'invalid_client',
  },
} as const satisfies ReasonTable;
