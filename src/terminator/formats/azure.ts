import { decodeBase64, encodeBase64 } from '../encodings/der.ts';
import type { HeaderFormat } from '../format.ts';
import { nginx } from './nginx.ts';

/**
 * Azure Application Gateway, a rewrite rule that sets `X-Client-Certificate` to `{var_client_certificate}` and
 * `X-Client-Certificate-Verification` to `{var_client_certificate_verification}`. The gateway hands on what nginx
 * calls `$ssl_client_escaped_cert` and `$ssl_client_verify`, though its documentation only says "PEM".
 * Not run here: after that documentation and the headers that users of it published.
 */
export const azure: HeaderFormat = {
  ...nginx,
  certificateHeader: 'x-client-certificate',
  verification: [{ header: 'x-client-certificate-verification', successValue: 'SUCCESS' }],
  hints: {},
};

/**
 * Azure App Service with client certificates turned on: `X-ARR-ClientCert`, base64 of the DER. The front end asks for
 * a certificate and verifies none. Not run here: after the documentation of Microsoft.
 */
export const azureAppService: HeaderFormat = {
  certificateHeader: 'x-arr-clientcert',
  chain: undefined,
  verification: [],
  absentValues: [],
  canVerify: false,
  decode: (value) => ({ leaf: decodeBase64(value), chain: [] }),
  encode: encodeBase64,
  hints: {},
};
