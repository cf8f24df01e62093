import { decodeXfcc, type XfccFixes } from '../encodings/xfcc.ts';
import type { HeaderFormat } from '../format.ts';
import { envoy } from './envoy.ts';

const forwardOnly =
  'set proxyHeaders: { forwardedClientCert: FORWARD_ONLY } in the proxy.istio.io/config annotation of this workload, ' +
  'with an AuthorizationPolicy that admits only the gateway';

const fixes: XfccFixes = {
  certificateMissing:
    "the sidecar of this workload, which omits Cert, described the gateway's certificate, as it also does if the " +
    `client presented none: ${forwardOnly}; if the gateway omits it, use an EnvoyFilter with ` +
    'set_current_client_cert_details: { cert: true }; for clients inside the mesh, set proxyHeaders: ' +
    '{ forwardedClientCert: SANITIZE_SET, setCurrentClientCertDetails: { cert: true } }',
  secondElement:
    `the sidecar of this workload appended its own element to the gateway's: ${forwardOnly}; at the gateway, set ` +
    'gatewayTopology: { forwardClientCertDetails: SANITIZE_SET }',
};

/**
 * Istio: Envoy's header, set by the gateway (`SANITIZE_SET` with `Cert`, the gateway's default) and forwarded unchanged
 * by the sidecar (`FORWARD_ONLY`; its default is `APPEND_FORWARD` without `Cert`). A sidecar that forwards the header
 * trusts every workload that connects to it over mutual TLS, so an AuthorizationPolicy must admit only the gateway.
 */
export const istio: HeaderFormat = {
  ...envoy,
  decode: (value) => decodeXfcc(value, fixes),
  hints: {
    forwardCertificate: 'Istio: gatewayTopology: { forwardClientCertDetails: SANITIZE_SET }',
    overwriteHeaders:
      'Istio: gatewayTopology: { forwardClientCertDetails: SANITIZE_SET } at the gateway, and an AuthorizationPolicy that ' +
      'admits only the gateway to this workload',
    clientCa: 'Istio: the secret of credentialName, with ca.crt',
    rejectUnverified:
      'Istio: mode: MUTUAL with the CA in the credentialName of the gateway, not OPTIONAL_MUTUAL without one',
  },
};
