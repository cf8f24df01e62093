import { CertificateError } from '../certificate/certificate-error.ts';
import { decodeForwardedPem } from '../certificate/pem.ts';
import type { HeaderFormat } from './header-format.ts';

/**
 * nginx: `$ssl_client_escaped_cert` (the PEM as a URI component, nginx 1.13.5 and later) and `$ssl_client_verify`
 * (`SUCCESS`, `NONE`, or `FAILED:` and OpenSSL's words).
 */
export const nginx: HeaderFormat = {
  certificateHeader: 'x-ssl-client-cert',
  verdictHeader: 'x-ssl-client-verify',
  decode: (value) => decodeForwardedPem(unescapePem(value)),
};

/** nginx escapes all but the unreserved characters of RFC 3986 §2.3, so a bare `+` or `/` was not written by nginx. */
function unescapePem(value: string): string {
  if (/[^A-Za-z0-9._~%-]/.test(value)) {
    throw new CertificateError('not an escaped PEM: a character that nginx escapes stands bare in it');
  }
  try {
    return decodeURIComponent(value);
  } catch {
    throw new CertificateError('not an escaped PEM: malformed percent-encoding');
  }
}
