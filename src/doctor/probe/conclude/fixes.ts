import { type HeaderFormatName, headerFormats } from '../../../terminator/formats.ts';
import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import type { EffectiveConfig } from '../../observer/endpoint.ts';
import type { ObservedField } from '../../observer/observed-fields.ts';
import type { PresentedAs } from '../trial.ts';

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

export function fixForwarding({ terminator, certificate_header }: EffectiveConfig): string {
  return `let the proxy write the certificate of the handshake in ${certificate_header}${example(forwarding[terminator])}`;
}

export function fixLineFeeds({ terminator, certificate_header }: EffectiveConfig): string {
  return `let the proxy write one line in ${certificate_header}${example(forwarding[terminator])}`;
}

/** Where the proxy refuses a certificate that it should take. */
export function fixCa({ terminator }: EffectiveConfig): string {
  const where = example(authorities[terminator]);
  return `tell the proxy the CA that issued it${where}, or give another one with --cert and --key; the proxy's log may say why`;
}

/** Where the chain of a certificate is not verified to the CA that issued it. */
export function fixChain({ terminator, verification }: EffectiveConfig, reason: string): string {
  if (verification.by === 'none') return 'set COUNTERSIGN_CLIENT_CA_FILE to a file with the CA that issued it';
  const isVerdict = verification.fields.some(({ header }) => reason.includes(header));
  if (!isVerdict) return 'name the CA that issued it, and its intermediates, in COUNTERSIGN_CLIENT_CA_FILE';
  const proxy = `tell the proxy the CA that issued it${example(authorities[terminator])}`;
  return verification.by === 'countersign' ? `${proxy}, as you tell COUNTERSIGN_CLIENT_CA_FILE` : proxy;
}

export function fixCertificateRequest({ terminator, issuer, mtls_url }: EffectiveConfig): string {
  const ask = `let it ask${example(requests[terminator])}`;
  if (issuer !== mtls_url) return `${ask}, or set COUNTERSIGN_MTLS_URL to the URL at which it does`;
  return `${ask}; or, if it asks at another URL, set COUNTERSIGN_MTLS_URL, which is not set, to that one`;
}

/** @param held the configured field, where what it holds is the certificate, whatever the encoding */
export function fixRejected(server: EffectiveConfig, held: ObservedField | undefined): string {
  if (held?.certificate === undefined) return fixForwarding(server);
  const { formats } = held.certificate;
  if (!formats.includes(server.terminator)) {
    return fixFormat(held.name, formats, server);
  }
  return 'the reason says what is wrong with the certificate itself: issue one without it';
}

/** Where the proxy says something of a certificate, and there is none. */
export function fixUnexpectedFields(server: EffectiveConfig): string {
  return `let the proxy send none of ${fieldsRead(server).join(', ')} where the handshake showed no certificate`;
}

/** @param reason why the server does not believe the proxy; it names the setting */
export function fixProxyTrust(reason: string): string {
  if (reason.includes('COUNTERSIGN_TRUSTED_PROXIES')) return "add the proxy's address to COUNTERSIGN_TRUSTED_PROXIES";
  if (reason.includes(PROXY_SECRET_HEADER)) {
    return `let the proxy set ${PROXY_SECRET_HEADER}, once and in every location, to what COUNTERSIGN_PROXY_SECRET holds`;
  }
  return 'let the proxy show a certificate that COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS or COUNTERSIGN_PROXY_CA_FILE allows';
}

export function fixAcceptedSpoof(server: EffectiveConfig, shown: PresentedAs | undefined): string {
  if (shown === 'own') return FIX_OTHER_CA;
  return `let the proxy write what this handshake showed, and nothing fixed or kept, in ${server.certificate_header}`;
}

/** How to make somebody verify, where a chain that nobody can have verified counts as verified. */
export function fixVerification({ verification, terminator }: EffectiveConfig): string {
  switch (verification.by) {
    case 'terminator':
      return `${BY_OURSELVES}, or make the proxy refuse what it cannot verify${example(refusals[terminator])}`;
    case 'header': {
      const names = verification.fields.map(({ header }) => header).join(', ');
      const constant = `the proxy says yes in ${names} whatever it found`;
      return `${constant}; ${BY_OURSELVES}, or let the proxy write there what it found${example(verdicts[terminator])}`;
    }
    case 'countersign':
    case 'none':
      return 'this is a fault of Countersign itself; please report it';
  }
}

/** How to keep a proxy from remembering a verdict that it never gave. */
export function fixResumption(belief: EffectiveConfig): string {
  const general = 'let the proxy resume no TLS session where it asks for a certificate';
  return `${general}${example(sessions[belief.terminator])}, or ${BY_OURSELVES}`;
}

/** How to let one authority alone speak, where a proxy verifies to another one under another name. */
export const FIX_OTHER_CA =
  'let the proxy refuse a handshake without a name, or for a name that it does not serve (nginx: ssl_reject_handshake ' +
  'in the default server), and a request for another name than the one in the handshake; or set ' +
  'COUNTERSIGN_CLIENT_CA_FILE, and take COUNTERSIGN_CHAIN_VERIFIED_BY away';

const BY_OURSELVES = 'take COUNTERSIGN_CHAIN_VERIFIED_BY away and set COUNTERSIGN_CLIENT_CA_FILE';

const refusals: Examples = {
  caddy: 'Caddy: mode verify_if_given with trusted_ca_cert_file, not mode request',
  envoy: 'Envoy: trusted_ca in the validation_context, without trust_chain_verification: ACCEPT_UNTRUSTED',
  istio: 'Istio: mode: MUTUAL with the CA in the credentialName of the gateway, not OPTIONAL_MUTUAL without one',
  traefik: 'Traefik: clientAuthType: RequireAndVerifyClientCert with caFiles, not RequireAnyClientCert',
  nginx: 'nginx: ssl_verify_client on with ssl_client_certificate, not optional_no_ca',
  haproxy: 'HAProxy: verify required with ca-file, without crt-ignore-err and ca-ignore-err',
  apache: 'Apache: SSLVerifyClient require with SSLCACertificateFile, not optional_no_ca',
};

const verdicts: Examples = {
  nginx: 'nginx: $ssl_client_verify as it is, not by way of a map that makes other values SUCCESS',
  'ingress-nginx': 'ingress-nginx: the annotation auth-tls-verify-client, not optional_no_ca',
  haproxy: 'HAProxy: %[ssl_c_verify] if { ssl_c_used }',
  apache: 'Apache: %{SSL_CLIENT_VERIFY}s as it is; GENEROUS is no SUCCESS',
};

const sessions: Examples = {
  apache: 'Apache: take SSLSessionCache away, and set SSLSessionTickets off',
  nginx: 'nginx: ssl_session_cache off; ssl_session_tickets off; also in the default server',
  'ingress-nginx': 'ingress-nginx: ssl-session-cache and ssl-session-tickets: "false" in its ConfigMap',
  haproxy: 'HAProxy: tune.ssl.cachesize 0, and no-tls-tickets on the bind line',
  envoy: 'Envoy: disable_stateless_session_resumption and disable_stateful_session_resumption: true',
  traefik: 'Traefik: disableSessionTickets: true in the TLS options',
};

/** What to look at in the configuration of a proxy that lets a client's own fields through. */
const overwriteExamples: Readonly<Partial<Record<HeaderFormatName, string>>> = {
  nginx:
    'nginx: proxy_set_header is not inherited by a location that has one of its own; ' +
    'include forward-to-countersign.conf in this location, and in every other',
  'ingress-nginx':
    'ingress-nginx sets these fields only for hosts with the annotation auth-tls-secret, and passes them on for all ' +
    'others: give every host that leads to Countersign the annotation',
  envoy:
    'Envoy: forward_client_cert_details: SANITIZE_SET in every HTTP connection manager that leads to Countersign, ' +
    'SANITIZE where it asks for no certificate',
  istio:
    'Istio: gatewayTopology: { forwardClientCertDetails: SANITIZE_SET } at the gateway, and let nobody else reach this workload',
  haproxy:
    'HAProxy: http-request del-header for each of these fields in every frontend, before http-request set-header ' +
    '(add-header keeps what the client sent)',
  apache:
    "Apache: RequestHeader unset for each of these fields in every virtual host, before RequestHeader set (add keeps the client's)",
  caddy:
    'Caddy: header_up without "+" for each of these fields in every reverse_proxy, and header_up - where no certificate is asked for',
  traefik:
    'Traefik: the middleware passTLSClientCert on every router, and no forwardedHeaders.insecure on the entry point',
};

/** How to make the proxy overwrite what the server reads. */
export function fixFor({ terminator, ...configured }: EffectiveConfig): string {
  const names = fieldsRead({ terminator, ...configured }).join(', ');
  const general = `let the proxy overwrite ${names} on every host and in every location, also where it asks for no certificate`;
  const special = overwriteExamples[terminator];
  return special === undefined ? general : `${general}. ${special}`;
}

/** The names of the fields that the server reads. */
export function fieldsRead({ certificate_header, chain_header, verification }: EffectiveConfig): string[] {
  const verdict = 'fields' in verification ? verification.fields.map(({ header }) => header) : [];
  return [certificate_header, ...(chain_header === null ? [] : [chain_header]), ...verdict];
}

/** How to tell the server which field of which format the certificate is in. */
export function fixFormat(
  header: string,
  formats: readonly HeaderFormatName[],
  { terminator, certificate_header }: EffectiveConfig,
): string {
  const name = header.toLowerCase();
  const [fitting] = formats.filter((format) => headerFormats[format].certificateHeader === name);
  if (fitting) return `set COUNTERSIGN_TERMINATOR=${fitting}, or configure the proxy for ${terminator}`;
  if (formats.includes(terminator)) {
    return `let the proxy call it ${certificate_header}, or set COUNTERSIGN_CERTIFICATE_HEADER=${name}`;
  }
  return `set COUNTERSIGN_TERMINATOR=${formats[0]} and COUNTERSIGN_CERTIFICATE_HEADER=${name}`;
}
