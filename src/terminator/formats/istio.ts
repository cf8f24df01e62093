import { decodeXfcc, type XfccFixes } from '../encodings/xfcc.ts';
import type { HeaderFormat } from '../format.ts';
import { envoy } from './envoy.ts';

const sidecarForwards =
  'set proxyHeaders: { forwardedClientCert: FORWARD_ONLY } in the proxy.istio.io/config annotation of this workload, ' +
  'with an AuthorizationPolicy that admits none but the gateway';

const fixes: XfccFixes = {
  certificateMissing:
    "the sidecar of this workload, which leaves it out, described the gateway's own certificate, as it does where the " +
    `client showed none: ${sidecarForwards}; for a gateway that leaves it out, an EnvoyFilter with ` +
    'set_current_client_cert_details: { cert: true }; for clients within the mesh, proxyHeaders: ' +
    '{ forwardedClientCert: SANITIZE_SET, setCurrentClientCertDetails: { cert: true } }',
  secondElement:
    `the sidecar of this workload appended its own to the gateway's: ${sidecarForwards}; at the gateway, ` +
    'gatewayTopology: { forwardClientCertDetails: SANITIZE_SET }',
};

/**
 * Istio: Envoy's field, written at the gateway (`SANITIZE_SET` with `Cert`, its default) and handed on by the sidecar
 * as it came (`FORWARD_ONLY`; its default is `APPEND_FORWARD`, without `Cert`). A sidecar that hands it on believes
 * every workload that reaches it over mutual TLS, so an AuthorizationPolicy has to admit the gateway alone.
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
