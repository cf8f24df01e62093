import { type HeaderFormatName, headerFormats } from '../terminator/formats.ts';
import type { Belief } from './observer/endpoint.ts';

/** What to look at in the configuration of a proxy that lets a client's own fields through. */
const mends: Readonly<Partial<Record<HeaderFormatName, string>>> = {
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
export function mendOf({ terminator, ...configured }: Belief): string {
  const names = fieldsRead({ terminator, ...configured }).join(', ');
  const general = `let the proxy overwrite ${names} on every host and in every location, also where it asks for no certificate`;
  const special = mends[terminator];
  return special === undefined ? general : `${general}. ${special}`;
}

/** The names of the fields that the server reads. */
export function fieldsRead({ certificate_header, chain_header, verification }: Belief): string[] {
  const verdict = 'fields' in verification ? verification.fields.map(({ header }) => header) : [];
  return [certificate_header, ...(chain_header === null ? [] : [chain_header]), ...verdict];
}

/** How to tell the server which field of which format the certificate is in. */
export function mendFormat(
  header: string,
  formats: readonly HeaderFormatName[],
  { terminator, certificate_header }: Belief,
): string {
  const name = header.toLowerCase();
  const [fitting] = formats.filter((format) => headerFormats[format].certificateHeader === name);
  if (fitting) return `set COUNTERSIGN_TERMINATOR=${fitting}, or configure the proxy for ${terminator}`;
  if (formats.includes(terminator)) {
    return `let the proxy call it ${certificate_header}, or set COUNTERSIGN_CERTIFICATE_HEADER=${name}`;
  }
  return `set COUNTERSIGN_TERMINATOR=${formats[0]} and COUNTERSIGN_CERTIFICATE_HEADER=${name}`;
}
