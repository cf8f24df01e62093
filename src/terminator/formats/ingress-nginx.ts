import type { HeaderFormat } from '../format.ts';
import { nginx } from './nginx.ts';

/**
 * ingress-nginx: what nginx writes, in fields of its own. `ssl-client-verify` comes with the annotation
 * `auth-tls-secret`, `ssl-client-cert` only with `auth-tls-pass-certificate-to-upstream: "true"` beside it.
 */
export const ingressNginx: HeaderFormat = {
  ...nginx,
  certificateHeader: 'ssl-client-cert',
  verification: [{ header: 'ssl-client-verify', successValue: 'SUCCESS' }],
};
