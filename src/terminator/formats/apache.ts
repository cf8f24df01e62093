import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import { decodeSpacedPem, unescapePem } from '../encodings/pem.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * Apache httpd: `"%{SSL_CLIENT_CERT}s"`, the PEM with spaces for its line feeds and `(null)` for none, or
 * `expr=%{escape:%{SSL_CLIENT_CERT}}`, percent-encoded with small digits and `+`, `/`, `=` bare. The first has no
 * percent sign, the second no space, so both are read. `"%{SSL_CLIENT_VERIFY}s"` is `SUCCESS`, `NONE`, `GENEROUS`
 * (`optional_no_ca`: nobody verified it) or `FAILED:` and OpenSSL's words.
 */
export const apache: HeaderFormat = {
  certificateHeader: 'x-ssl-client-cert',
  chain: undefined,
  verification: [{ header: 'x-ssl-client-verify', successValue: 'SUCCESS' }],
  absentValues: ['(null)'],
  canVerify: true,
  decode: (value) => ({ leaf: value.includes('%') ? decodeEscapedPem(value) : decodeSpacedPem(value), chain: [] }),
};

function decodeEscapedPem(value: string): Uint8Array {
  return decodeForwardedPem(unescapePem(value, '+/=', 'lower'));
}
