import { startShippedCaddyEdge } from './caddy.ts';
import { startShippedEnvoyEdge } from './envoy.ts';
import { startShippedHaproxyEdge } from './haproxy.ts';
import { startShippedNginxEdge } from './nginx.ts';
import type { ProgramName } from './programs.ts';
import type { RunningTerminator } from './shipped-terminator.ts';
import { startShippedTraefikEdge } from './traefik.ts';

/** The host name in each shipped configuration of the edge. */
export const apiHost = 'api.example';

/** How a test runs a proxy with the configuration that the repository ships for the edge. */
export interface EdgeProxyOptions {
  /** Holds `client-ca.pem`, `api.example.pem` and `api.example-key.pem`. The proxy's own files go into it as well. */
  readonly directory: string;
  /** The loopback port for HTTPS. */
  readonly port: number;
  /** Where Countersign's edge listens: `unix:/path` or `http://127.0.0.1:PORT`. */
  readonly edge: string;
  /** Where the API listens: `http://127.0.0.1:PORT`. */
  readonly upstream: string;
  /** What to replace in the shipped files, before ports and paths are. */
  readonly replace?: readonly (readonly [from: string, to: string])[];
}

/**
 * A proxy at the edge. Its configuration protects three paths of `api.example`: `/orders/` with the route `mint/orders`,
 * `/reports/` with `verify/reports` and `/stock/` with `either/stock`. Each may be a WebSocket.
 */
export interface EdgeProxy {
  readonly program: ProgramName;
  /** The settings of Countersign that its configuration requires. */
  readonly env: Readonly<Record<string, string>>;
  /** Waits for the edge for much longer than the second of the configuration, as a test on a busy machine must. */
  readonly patience: readonly (readonly [from: string, to: string])[];
  /** Keeps a connection to the API open for any number of requests, if the configuration does not. */
  readonly endlessConnection?: EdgeProxyOptions['replace'];
  readonly start: (options: EdgeProxyOptions) => Promise<RunningTerminator>;
  /** Whether the tested version forwards trailers, as trailers, and cannot be configured not to. Default: false. */
  readonly forwardsTrailers?: boolean;
  /**
   * Whether a `Location` in a response in place of the edge reaches the client, with 503, which it does not redirect; the
   * proxy cannot be configured otherwise. Default: false.
   */
  readonly copiesLocation?: boolean;
}

const caddyApi = 'reverse_proxy 127.0.0.1:8080 {';

export const edgeProxies = {
  nginx: {
    program: 'nginx',
    env: { COUNTERSIGN_EDGE_TERMINATOR: 'nginx' },
    patience: [['proxy_read_timeout 1s;', 'proxy_read_timeout 60s;']],
    endlessConnection: [['keepalive 32;', 'keepalive 32; keepalive_requests 100000;']],
    start: startShippedNginxEdge,
  },
  envoy: {
    program: 'envoy',
    env: { COUNTERSIGN_EDGE_TERMINATOR: 'envoy' },
    patience: [
      ['timeout: 1s }', 'timeout: 60s }'],
      ['max_interval: 0.45s', 'max_interval: 60s'],
    ],
    start: startShippedEnvoyEdge,
    copiesLocation: true,
  },
  caddy: {
    program: 'caddy',
    env: { COUNTERSIGN_EDGE_TERMINATOR: 'caddy' },
    patience: [['response_header_timeout 1s', 'response_header_timeout 60s']],
    endlessConnection: [[caddyApi, `${caddyApi}\n\t\ttransport http {\n\t\t\tmax_conns_per_host 1\n\t\t}`]],
    start: startShippedCaddyEdge,
  },
  haproxy: {
    program: 'haproxy',
    env: { COUNTERSIGN_EDGE_TERMINATOR: 'haproxy' },
    patience: [['local timeout = 1000', 'local timeout = 60000']],
    // Each thread has connections of its own.
    endlessConnection: [['setenv COUNTERSIGN_EDGE', 'nbthread 1\n    setenv COUNTERSIGN_EDGE']],
    start: startShippedHaproxyEdge,
    forwardsTrailers: true,
  },
  traefik: {
    program: 'traefik',
    env: { COUNTERSIGN_EDGE_TERMINATOR: 'traefik' },
    patience: [],
    start: startShippedTraefikEdge,
  },
} as const satisfies Record<string, EdgeProxy>;

export type EdgeProxyName = keyof typeof edgeProxies;
