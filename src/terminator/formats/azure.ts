import type { HeaderFormat } from '../header-format.ts';
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
  verdict: [{ header: 'x-client-certificate-verification', positive: 'SUCCESS' }],
};
