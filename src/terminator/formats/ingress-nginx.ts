import type { HeaderFormat } from '../format.ts';
import { nginx } from './nginx.ts';

/**
 * ingress-nginx: the same values as nginx, in other headers. The annotation `auth-tls-secret` sets `ssl-client-verify`;
 * `ssl-client-cert` also needs `auth-tls-pass-certificate-to-upstream: "true"`.
 */
export const ingressNginx: HeaderFormat = {
  ...nginx,
  certificateHeader: 'ssl-client-cert',
  verification: [{ header: 'ssl-client-verify', successValue: 'SUCCESS' }],
  hints: {
    forwardCertificate: 'ingress-nginx: the annotation auth-tls-pass-certificate-to-upstream: "true"',
    overwriteHeaders:
      'ingress-nginx sets these fields only for hosts with the annotation auth-tls-secret, and passes them on for all ' +
      'others: give every host that leads to Countersign the annotation',
    requestCertificate: 'ingress-nginx: the annotations auth-tls-secret and auth-tls-verify-client',
    clientCa: 'ingress-nginx: the secret of the annotation auth-tls-secret',
    forwardVerification: 'ingress-nginx: the annotation auth-tls-verify-client, not optional_no_ca',
    disableResumption: 'ingress-nginx: ssl-session-cache and ssl-session-tickets: "false" in its ConfigMap',
  },
};
