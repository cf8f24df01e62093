import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import { decodeSpacedPem, encodeSpacedPem, unescapePem } from '../encodings/pem.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * Apache httpd: `"%{SSL_CLIENT_CERT}s"`, the PEM with spaces in place of line feeds and `(null)` for no certificate, or
 * `expr=%{escape:%{SSL_CLIENT_CERT}}`, percent-encoded with lower-case digits and unescaped `+`, `/`, `=`. The first
 * form contains no percent sign and the second no space, so both are accepted. `"%{SSL_CLIENT_VERIFY}s"` is `SUCCESS`,
 * `NONE`, `GENEROUS` (`optional_no_ca`: not verified) or `FAILED:` with OpenSSL's error.
 */
export const apache: HeaderFormat = {
  certificateHeader: 'x-ssl-client-cert',
  chain: undefined,
  verification: [{ header: 'x-ssl-client-verify', successValue: 'SUCCESS' }],
  absentValues: ['(null)'],
  canVerify: true,
  decode: (value) => ({ leaf: value.includes('%') ? decodeEscapedPem(value) : decodeSpacedPem(value), chain: [] }),
  encode: encodeSpacedPem,
  hints: {
    forwardCertificate: 'Apache: "%{SSL_CLIENT_CERT}s", in the virtual host that requests the certificate',
    overwriteHeaders:
      'Apache: RequestHeader unset for each of these fields in every virtual host, before RequestHeader set (add keeps ' +
      'what the client sent)',
    requestCertificate: 'Apache: SSLVerifyClient',
    clientCa: 'Apache: SSLCACertificateFile, or VerifyCAFile',
    rejectUnverified: 'Apache: SSLVerifyClient require with SSLCACertificateFile, not optional_no_ca',
    forwardVerification: 'Apache: %{SSL_CLIENT_VERIFY}s as it is; GENEROUS is not SUCCESS',
    disableResumption: 'Apache: remove SSLSessionCache, and set SSLSessionTickets off',
  },
};

function decodeEscapedPem(value: string): Uint8Array {
  return decodeForwardedPem(unescapePem(value, '+/=', 'lower'));
}
