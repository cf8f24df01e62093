import { decodeBase64, encodeBase64 } from '../encodings/base64.ts';
import type { HeaderFormat } from '../format.ts';
import { nginx } from './nginx.ts';

/**
 * Azure Application Gateway, with a rewrite rule that sets `X-Client-Certificate` to `{var_client_certificate}` and
 * `X-Client-Certificate-Verification` to `{var_client_certificate_verification}`. The values are those of nginx's
 * `$ssl_client_escaped_cert` and `$ssl_client_verify`, although the documentation only mentions "PEM". Not tested against
 * the service: based on that documentation and on headers that users published.
 */
export const azure: HeaderFormat = {
  ...nginx,
  certificateHeader: 'x-client-certificate',
  verification: [{ header: 'x-client-certificate-verification', successValue: 'SUCCESS' }],
  hints: {},
};

/**
 * Azure App Service with client certificates enabled: `X-ARR-ClientCert`, base64 of the DER. The front end requests a
 * certificate and does not verify it. Not tested against the service: based on the documentation of Microsoft.
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
