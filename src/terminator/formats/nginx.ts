import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import { encodeEscapedPem, unescapePem } from '../encodings/pem.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * nginx: `$ssl_client_escaped_cert` (the PEM as a URI component, nginx 1.13.5 and later) and `$ssl_client_verify`
 * (`SUCCESS`, `NONE`, or `FAILED:` with OpenSSL's error). nginx has no variable for the rest of the chain.
 */
export const nginx: HeaderFormat = {
  certificateHeader: 'x-ssl-client-cert',
  chain: undefined,
  verification: [{ header: 'x-ssl-client-verify', successValue: 'SUCCESS' }],
  absentValues: [],
  canVerify: true,
  decode: (value) => ({ leaf: decodeForwardedPem(unescapePem(value)), chain: [] }),
  encode: (der) => encodeEscapedPem(der),
  hints: {
    forwardCertificate:
      'nginx: include forward-to-countersign.conf in this location; it sends $ssl_client_escaped_cert',
    overwriteHeaders:
      'nginx: proxy_set_header is not inherited by a location that has one of its own; ' +
      'include forward-to-countersign.conf in this location, and in every other',
    requestCertificate: 'nginx: ssl_verify_client',
    clientCa: 'nginx: ssl_trusted_certificate, or ssl_client_certificate',
    rejectUnverified: 'nginx: ssl_verify_client on with ssl_client_certificate, not optional_no_ca',
    forwardVerification: 'nginx: $ssl_client_verify as it is, not by way of a map that makes other values SUCCESS',
    disableResumption: 'nginx: ssl_session_cache off; ssl_session_tickets off; also in the default server',
  },
};
