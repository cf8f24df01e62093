import type { HeaderFormatName } from '../terminator/formats.ts';
import type { Belief } from './observer/endpoint.ts';

/** How to make somebody verify, where a chain that nobody can have verified counts as verified. */
export function mendVerification({ verification, terminator }: Belief): string {
  switch (verification.by) {
    case 'terminator':
      return `${BY_OURSELVES}, or make the proxy refuse what it cannot verify${example(refusals[terminator])}`;
    case 'verdict': {
      const names = verification.fields.map(({ header }) => header).join(', ');
      const constant = `the proxy says yes in ${names} whatever it found`;
      return `${constant}; ${BY_OURSELVES}, or let the proxy write there what it found${example(verdicts[terminator])}`;
    }
    case 'countersign':
    case 'nobody':
      return 'this is a fault of Countersign itself; please report it';
  }
}

/** How to keep a proxy from remembering a verdict that it never gave. */
export function mendResumption(belief: Belief): string {
  const general = 'let the proxy resume no TLS session where it asks for a certificate';
  return `${general}${example(sessions[belief.terminator])}, or ${BY_OURSELVES}`;
}

/** How to let one authority alone speak, where a proxy verifies to another one under another name. */
export const mendOtherAuthority =
  'let the proxy refuse a handshake without a name, or for a name that it does not serve (nginx: ssl_reject_handshake ' +
  'in the default server), and a request for another name than the one in the handshake; or set ' +
  'COUNTERSIGN_CLIENT_CA_FILE, and take COUNTERSIGN_CHAIN_VERIFIED_BY away';

const BY_OURSELVES = 'take COUNTERSIGN_CHAIN_VERIFIED_BY away and set COUNTERSIGN_CLIENT_CA_FILE';

type Examples = Readonly<Partial<Record<HeaderFormatName, string>>>;

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

function example(text: string | undefined): string {
  return text === undefined ? '' : ` (${text})`;
}
