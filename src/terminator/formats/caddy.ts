import { decodeBase64, encodeBase64 } from '../encodings/base64.ts';
import type { HeaderFormat } from '../format.ts';

const PLACEHOLDER = '{http.request.tls.client.certificate_der_base64}';

/**
 * Caddy: `header_up X-SSL-Client-Cert {http.request.tls.client.certificate_der_base64}`. Without a certificate, Caddy 2.6
 * sends the placeholder itself, and later releases send nothing. No field reports the verification: it depends on the
 * mode of `client_auth`, and only `require_and_verify` guarantees it.
 */
export const caddy: HeaderFormat = {
  certificateHeader: 'x-ssl-client-cert',
  chain: undefined,
  verification: [],
  absentValues: [PLACEHOLDER],
  canVerify: true,
  decode: (value) => ({ leaf: decodeBase64(value), chain: [] }),
  encode: encodeBase64,
  hints: {
    forwardCertificate: 'Caddy: header_up with {http.request.tls.client.certificate_der_base64}',
    overwriteHeaders:
      'Caddy: header_up without "+" for each of these fields in every reverse_proxy, and header_up - where no certificate ' +
      'is requested',
    requestCertificate: 'Caddy: client_auth',
    clientCa: 'Caddy: trusted_ca_cert_file',
    rejectUnverified: 'Caddy: mode verify_if_given with trusted_ca_cert_file, not mode request',
  },
};
