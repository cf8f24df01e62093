import type { ReasonTable } from './reason.ts';

/** What the client certificate itself states. */
export const certificateReasons = {
  certificate_malformed: {
    meaning: 'The forwarded certificate is not the strict DER of an X.509 certificate.',
    cause: 'The CA encodes a field in a way that RFC 5280 does not allow, or the value was changed on its way.',
    fix: 'Run `countersign certificate FILE` on it, and issue it anew with a CA that follows RFC 5280.',
    error: 'invalid_client',
  },
  certificate_version_unsupported: {
    meaning: 'The certificate is X.509 v1 or v2, which cannot state what it may be used for.',
    cause: 'It was issued by a script without extensions (openssl x509 -req without -extfile).',
    fix: 'Issue it as v3, with basicConstraints CA:FALSE and the extended key usage clientAuth.',
    error: 'invalid_client',
  },
  certificate_key_unacceptable: {
    meaning: 'The key of the certificate is too weak, too large, or of a type or curve that is not accepted.',
    cause: 'An RSA key below 2,048 bits, an unusual exponent, DSA, or a curve that is not in use for certificates.',
    fix: 'Generate a new key, such as EC P-256, and have a certificate issued for it.',
    error: 'invalid_client',
  },
  certificate_is_ca: {
    meaning: 'The certificate is that of a CA, which never identifies a client.',
    cause: 'The client is configured with the certificate of its CA, or a self-signed one was made with CA:TRUE.',
    fix: 'Configure the certificate of the client, or issue one with CA:FALSE.',
    error: 'invalid_client',
  },
  certificate_purpose_wrong: {
    meaning: 'The extended key usage of the certificate lacks clientAuth.',
    cause: 'The client uses a certificate that was issued for a server.',
    fix: 'Issue the certificate with the extended key usage clientAuth.',
    error: 'invalid_client',
  },
  certificate_expired: {
    meaning: 'The client certificate has expired.',
    cause: 'It was not renewed, or the client still uses the old one. A wrong clock of the server has the same effect.',
    fix: 'Renew the certificate and restart the client, or whatever makes it read the new file.',
    error: 'invalid_client',
  },
  certificate_not_yet_valid: {
    meaning: 'The client certificate is not valid yet.',
    cause: 'The clock of the CA is ahead of that of the server, or the certificate was issued for later.',
    fix: 'Compare the clocks. Most CAs can backdate certificates by some minutes.',
    error: 'invalid_client',
  },
  certificate_expiring: {
    meaning: 'The certificate is valid for less than a second more, so no token can be issued for it.',
    cause: 'The client renews its certificate too late.',
    fix: 'Renew certificates well before they expire.',
    error: 'invalid_client',
  },
} as const satisfies ReasonTable;
