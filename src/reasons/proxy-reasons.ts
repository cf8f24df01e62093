import type { ReasonTable } from './reason.ts';

/** The proxy in front of the server: whether it is the trusted one, and what it forwards. */
export const proxyReasons = {
  proxy_untrusted: {
    meaning: 'The peer is not a trusted proxy, so its certificate header was not read.',
    cause: 'The address of the proxy changed, or someone bypasses the proxy.',
    fix: 'If the peer is your proxy, add its address to COUNTERSIGN_TRUSTED_PROXIES. Otherwise close the port to it.',
    error: 'invalid_client',
  },
  proxy_secret_missing: {
    meaning: 'The proxy sent no proxy secret, or more than one, and COUNTERSIGN_PROXY_SECRET is set.',
    cause: 'The proxy does not set X-Countersign-Proxy-Secret at this location, or adds it to one of the client.',
    fix: 'Set (not add) the header in the proxy, at every location that leads to the server.',
    error: 'invalid_client',
  },
  proxy_secret_mismatch: {
    meaning: 'The proxy secret is not the configured one.',
    cause: 'The secret was changed on one side only.',
    fix: 'Configure the same secret on both sides. During a rotation, give the server the old and the new one.',
    error: 'invalid_client',
  },
  proxy_certificate_missing: {
    meaning: 'The proxy presented no certificate to the HTTPS listener, which requires one.',
    cause: 'The proxy has no client certificate for its upstream (nginx: proxy_ssl_certificate).',
    fix: 'Configure the certificate of the proxy and its key for the upstream.',
    error: 'invalid_client',
  },
  proxy_certificate_rejected: {
    meaning:
      'The certificate of the proxy is expired, malformed, from another CA, or not one of those that are trusted.',
    cause: 'The certificate of the proxy was renewed or has expired.',
    fix: 'See the reason. Renew the certificate, or correct COUNTERSIGN_PROXY_CA_FILE, COUNTERSIGN_PROXY_SANS or COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS.',
    error: 'invalid_client',
  },
  early_data: {
    meaning: 'The request was sent in TLS early data, so it may be a replay.',
    cause: 'The proxy accepts 0-RTT (nginx: ssl_early_data on).',
    fix: 'Turn off early data in the proxy. Clients that get 425 send the request again.',
    error: 'invalid_request',
    status: 425,
  },
  header_stripped: {
    meaning: 'Connection names a header of the proxy, which a proxy may therefore have removed.',
    cause: 'A client attempts to make the proxy drop its headers (RFC 9110 §7.6.1).',
    fix: 'Nothing, if this is an attack. Otherwise remove the name from the Connection field of the client.',
    error: 'invalid_request',
  },
  forwarded_header_repeated: {
    meaning: 'A header that the proxy sets appears more than once.',
    cause: 'The proxy adds the header to one that the client sent, or two proxies set it.',
    fix: 'Set (not add) the header in the proxy, which removes that of the client. Run `countersign doctor`.',
    error: 'invalid_client',
  },
  certificate_header_malformed: {
    meaning: 'The certificate header is not what the configured terminator writes.',
    cause:
      'COUNTERSIGN_TERMINATOR names another terminator, or the proxy uses another variable than the documented one.',
    fix: 'See the reason, which names the format that the value looks like. Run `countersign doctor`.',
    error: 'invalid_client',
  },
  certificate_lost: {
    meaning: 'The terminator reports a verified certificate, but forwarded none.',
    cause: 'A buffer of the proxy is too small for the certificate, or the verification header is set without one.',
    fix: 'Enlarge the buffers of the proxy for headers. HAProxy: send ssl_c_verify only if ssl_c_used.',
    error: 'invalid_client',
  },
  certificate_too_large: {
    meaning: 'The client certificate is longer than 16 KiB.',
    cause: 'The CA puts a very long list of names or policies into the certificate.',
    fix: 'Issue a certificate with fewer names. The limit is fixed.',
    error: 'invalid_request',
    status: 431,
  },
  certificate_missing: {
    meaning: 'The terminator forwarded no client certificate.',
    cause:
      'The client has no certificate configured, the proxy does not request one, or the location does not forward it.',
    fix: 'Give the client its certificate and key. In the proxy, request certificates (nginx: ssl_verify_client optional).',
    error: 'invalid_client',
  },
} as const satisfies ReasonTable;
