import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import { unescapePem } from '../encodings/pem.ts';
import type { HeaderFormat } from '../format.ts';

/**
 * nginx: `$ssl_client_escaped_cert` (the PEM as a URI component, nginx 1.13.5 and later) and `$ssl_client_verify`
 * (`SUCCESS`, `NONE`, or `FAILED:` and OpenSSL's words). It has no variable for the rest of the chain.
 */
export const nginx: HeaderFormat = {
  certificateHeader: 'x-ssl-client-cert',
  chain: undefined,
  verification: [{ header: 'x-ssl-client-verify', successValue: 'SUCCESS' }],
  absentValues: [],
  canVerify: true,
  decode: (value) => ({ leaf: decodeForwardedPem(unescapePem(value)), chain: [] }),
};
