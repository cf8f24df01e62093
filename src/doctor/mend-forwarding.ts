import type { HeaderFormatName } from '../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../terminator/trusted-proxy.ts';
import { fieldsRead, mendFormat } from './mend.ts';
import { mendOtherAuthority } from './mend-verification.ts';
import type { Belief } from './observer/endpoint.ts';
import type { ObservedField } from './observer/observed-fields.ts';
import type { Shown } from './trial.ts';

type Examples = Readonly<Partial<Record<HeaderFormatName, string>>>;

/** How each terminator forwards the certificate of the handshake. */
const forwarding: Examples = {
  nginx: 'nginx: include forward-to-countersign.conf in this location; it sends $ssl_client_escaped_cert',
  'ingress-nginx': 'ingress-nginx: the annotation auth-tls-pass-certificate-to-upstream: "true"',
  envoy: 'Envoy: forward_client_cert_details: SANITIZE_SET and set_current_client_cert_details: { cert: true }',
  istio: 'Istio: gatewayTopology: { forwardClientCertDetails: SANITIZE_SET }',
  haproxy: 'HAProxy: %[ssl_c_der,base64] if { ssl_c_used }; with tune.bufsize large enough for it',
  apache: 'Apache: "%{SSL_CLIENT_CERT}s", in the virtual host that asks for the certificate',
  caddy: 'Caddy: header_up with {http.request.tls.client.certificate_der_base64}',
  traefik: 'Traefik: the middleware passTLSClientCert with pem: true on this router',
};

/** How the proxy is told which authorities clients' certificates come from. */
const authorities: Examples = {
  nginx: 'nginx: ssl_trusted_certificate, or ssl_client_certificate',
  'ingress-nginx': 'ingress-nginx: the secret of the annotation auth-tls-secret',
  envoy: 'Envoy: trusted_ca',
  istio: 'Istio: the secret of credentialName, with ca.crt',
  haproxy: 'HAProxy: ca-file',
  apache: 'Apache: SSLCACertificateFile, or VerifyCAFile',
  caddy: 'Caddy: trusted_ca_cert_file',
  traefik: 'Traefik: caFiles',
};

const requests: Examples = {
  nginx: 'nginx: ssl_verify_client',
  'ingress-nginx': 'ingress-nginx: the annotations auth-tls-secret and auth-tls-verify-client',
  envoy: 'Envoy: a validation_context',
  haproxy: 'HAProxy: verify optional',
  apache: 'Apache: SSLVerifyClient',
  caddy: 'Caddy: client_auth',
  traefik: 'Traefik: clientAuth',
};

function example(text: string | undefined): string {
  return text === undefined ? '' : ` (${text})`;
}

export function mendForwarding({ terminator, certificate_header }: Belief): string {
  return `let the proxy write the certificate of the handshake in ${certificate_header}${example(forwarding[terminator])}`;
}

export function mendLineFeeds({ terminator, certificate_header }: Belief): string {
  return `let the proxy write one line in ${certificate_header}${example(forwarding[terminator])}`;
}

/** Where the proxy refuses a certificate that it should take. */
export function mendAuthority({ terminator }: Belief): string {
  const where = example(authorities[terminator]);
  return `tell the proxy the CA that issued it${where}, or give another one with --cert and --key; the proxy's log may say why`;
}

/** Where the chain of a certificate is not verified to the CA that issued it. */
export function mendChain({ terminator, verification }: Belief, reason: string): string {
  if (verification.by === 'nobody') return 'set COUNTERSIGN_CLIENT_CA_FILE to a file with the CA that issued it';
  const isVerdict = verification.fields.some(({ header }) => reason.includes(header));
  if (!isVerdict) return 'name the CA that issued it, and its intermediates, in COUNTERSIGN_CLIENT_CA_FILE';
  const proxy = `tell the proxy the CA that issued it${example(authorities[terminator])}`;
  return verification.by === 'countersign' ? `${proxy}, as you tell COUNTERSIGN_CLIENT_CA_FILE` : proxy;
}

export function mendRequest({ terminator, issuer, mtls_url }: Belief): string {
  const ask = `let it ask${example(requests[terminator])}`;
  if (issuer !== mtls_url) return `${ask}, or set COUNTERSIGN_MTLS_URL to the URL at which it does`;
  return `${ask}; or, if it asks at another URL, set COUNTERSIGN_MTLS_URL, which is not set, to that one`;
}

/** @param held the configured field, where what it holds is the certificate, whatever the encoding */
export function mendRefused(server: Belief, held: ObservedField | undefined): string {
  if (held?.certificate === undefined) return mendForwarding(server);
  const { formats } = held.certificate;
  if (!formats.includes(server.terminator)) {
    return mendFormat(held.name, formats, server);
  }
  return 'the reason says what is wrong with the certificate itself: issue one without it';
}

/** Where the proxy says something of a certificate, and there is none. */
export function mendNothing(server: Belief): string {
  return `let the proxy send none of ${fieldsRead(server).join(', ')} where the handshake showed no certificate`;
}

/** @param reason why the server does not believe the proxy; it names the setting */
export function mendHop(reason: string): string {
  if (reason.includes('COUNTERSIGN_TRUSTED_PROXIES')) return "add the proxy's address to COUNTERSIGN_TRUSTED_PROXIES";
  if (reason.includes(PROXY_SECRET_HEADER)) {
    return `let the proxy set ${PROXY_SECRET_HEADER}, once and in every location, to what COUNTERSIGN_PROXY_SECRET holds`;
  }
  return 'let the proxy show a certificate that COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS or COUNTERSIGN_PROXY_CA_FILE allows';
}

export function mendFalseBelief(server: Belief, shown: Shown | undefined): string {
  if (shown === 'own') return mendOtherAuthority;
  return `let the proxy write what this handshake showed, and nothing fixed or kept, in ${server.certificate_header}`;
}
