import { decodeBase64 } from '../encodings/base64-der.ts';
import type { HeaderFormat } from '../header-format.ts';

/**
 * Azure App Service with client certificates turned on: `X-ARR-ClientCert`, base64 of the DER. The front end asks for
 * a certificate and verifies none. Not run here: after the documentation of Microsoft.
 */
export const azureAppService: HeaderFormat = {
  certificateHeader: 'x-arr-clientcert',
  chain: undefined,
  verdict: [],
  absent: [],
  canVerify: false,
  decode: (value) => ({ leaf: decodeBase64(value), chain: [] }),
};
