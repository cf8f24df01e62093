import { withoutTrailingSlash } from '../../oauth/issuer.ts';

/** A way to reach the token endpoint: server name, transport, and the Host and path of the requests. */
export interface Route {
  /** Stable, machine-readable. */
  readonly name: 'mutual_tls' | 'issuer' | 'protected' | MismatchedName | 'resumed_session' | UnintendedName;
  /** Human-readable: its URL, or what is unusual about it. */
  readonly title: string;
  readonly address: Address;
  /** The server name of the handshake (SNI); empty for none. */
  readonly serverName: string;
  readonly transport: Transport;
  /** The requests of one connection, in order. Only the last one is observed. */
  readonly endpoints: readonly [TokenEndpoint, ...TokenEndpoint[]];
}

type MismatchedName =
  | 'no_server_name'
  | 'issuer_handshake'
  | 'mutual_tls_handshake'
  | 'reused_from_issuer'
  | 'reused_from_mutual_tls';

type UnintendedName = 'other_path' | 'unnormalized_path' | 'unknown_host' | 'unknown_server_name' | 'plain_http';

/**
 * - `tls`: the proxy's certificate is verified for the server name
 * - `tls_unverified`: the proxy's certificate is not verified
 * - `tls_resumed`: as `tls`, in a TLS 1.2 session resumed from an earlier connection
 * - `plain`: without TLS
 */
type Transport = 'tls' | 'tls_unverified' | 'tls_resumed' | 'plain';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface TokenEndpoint {
  /** The value of `Host`, with a port other than 443. */
  readonly host: string;
  readonly path: string;
}

export interface Routes {
  /** The mutual TLS URL, then the issuer if it is another URL. */
  readonly direct: readonly [Route, ...Route[]];
  /** Server name and Host differ, or one connection is used for both names. */
  readonly mismatched: readonly Route[];
  /** Some proxies report a resumed session as verified whatever the result of the original handshake. */
  readonly resumed: readonly Route[];
}

/**
 * Plans the routes that clients may use.
 *
 * @param url from the command line. If it is not one of the server's URLs, only this URL is tried
 * @param connectTo where to connect instead of the URL's host and port
 */
export function planRoutes(
  url: string,
  server: { readonly issuer: string; readonly mtls_url: string },
  connectTo: Address | undefined,
): Routes {
  const isKnown = [server.issuer, server.mtls_url].some((known) => normalizedUrl(known) === normalizedUrl(url));
  const mutualTls = endpointAt(isKnown ? server.mtls_url : url, connectTo);
  const issuer = endpointAt(isKnown ? server.issuer : url, connectTo);
  const first = directRoute('mutual_tls', mutualTls);
  const unnamed = { ...first, ...withoutServerName } as const;
  if (mutualTls.url === issuer.url) return { direct: [first], mismatched: [unnamed], resumed: [resumedRoute(first)] };
  const direct = [first, directRoute('issuer', issuer)] as const;
  const isOneName = mutualTls.host === issuer.host;
  const mismatched = isOneName ? [unnamed] : [unnamed, ...mismatchedRoutes(mutualTls, issuer)];
  return { direct, mismatched, resumed: direct.map(resumedRoute) };
}

/** Without a trailing slash, a default port, upper case and the final dot of the host name. */
function normalizedUrl(text: string): string {
  const url = new URL(text);
  url.hostname = url.hostname.replace(/\.$/, '');
  return withoutTrailingSlash(url.href);
}

interface Endpoint extends TokenEndpoint {
  readonly url: string;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly address: Address;
}

function endpointAt(base: string, connectTo: Address | undefined): Endpoint {
  const url = `${withoutTrailingSlash(base)}/token`;
  const parsed = new URL(url);
  const hostname = parsed.hostname.replace(/^\[|\]$/g, '');
  const address = connectTo ?? { host: hostname, port: Number(parsed.port || 443) };
  return { url, host: parsed.host, path: parsed.pathname, hostname, address };
}

function directRoute(name: 'mutual_tls' | 'issuer', { url, address, hostname, host, path }: Endpoint): Route {
  return { name, title: url, address, serverName: hostname, transport: 'tls', endpoints: [{ host, path }] };
}

const withoutServerName = {
  name: 'no_server_name',
  title: 'no name in the handshake',
  serverName: '',
  transport: 'tls_unverified',
} as const;

function resumedRoute(route: Route): Route {
  return {
    ...route,
    name: 'resumed_session',
    title: `${route.title}, in a resumed TLS session`,
    transport: 'tls_resumed',
  };
}

function mismatchedRoutes(mutualTls: Endpoint, issuer: Endpoint): Route[] {
  const route = (name: MismatchedName, title: string, first: Endpoint, ...endpoints: Route['endpoints']): Route => {
    return { name, title, address: first.address, serverName: first.hostname, transport: 'tls', endpoints };
  };
  const handshake = (first: Endpoint, last: Endpoint) =>
    `${first.hostname} in the handshake, ${last.hostname} in the request`;
  const reused = (first: Endpoint, last: Endpoint) =>
    `first ${first.hostname}, then ${last.hostname}, over one connection`;
  return [
    route('issuer_handshake', handshake(issuer, mutualTls), issuer, mutualTls),
    route('mutual_tls_handshake', handshake(mutualTls, issuer), mutualTls, issuer),
    route('reused_from_issuer', reused(issuer, mutualTls), issuer, issuer, mutualTls),
    route('reused_from_mutual_tls', reused(mutualTls, issuer), mutualTls, mutualTls, issuer),
  ];
}
