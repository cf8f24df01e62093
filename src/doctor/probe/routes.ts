import { withoutTrailingSlash } from '../../oauth/issuer.ts';

/** A way to the token endpoint: whom the handshake names, whom the requests name, and over which connection. */
export interface Route {
  /** Stable, for programs. */
  readonly name: 'mutual_tls' | 'issuer' | Crossing | 'resumed_session' | Further;
  readonly title: string;
  readonly address: Address;
  /** The name in the handshake, where there is one; empty for none. */
  readonly serverName: string;
  readonly transport: Transport;
  /** The requests of one connection, one after another. The last one is what is looked at. */
  readonly endpoints: readonly [TokenEndpoint, ...TokenEndpoint[]];
}

type Further = 'other_path' | 'path_spelling' | 'unknown_host' | 'unknown_server_name' | 'plain_http';

/**
 * - `tls`: with a proxy that proves to be the one that the handshake names
 * - `tls_to_anybody`: with one that may show whatever certificate it likes
 * - `resumed_tls`: the same as `tls`, in a session of TLS 1.2 that an earlier connection began
 * - `plain`: without TLS
 */
export type Transport = 'tls' | 'tls_to_anybody' | 'resumed_tls' | 'plain';

type Crossing =
  | 'no_server_name'
  | 'issuer_handshake'
  | 'mutual_tls_handshake'
  | 'reused_from_issuer'
  | 'reused_from_mutual_tls';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface TokenEndpoint {
  /** As in `Host`. */
  readonly authority: string;
  readonly path: string;
}

export interface Routes {
  /** The mutual TLS URL first. */
  readonly straight: readonly [Route, ...Route[]];
  /** Where the names do not go together. */
  readonly crossing: readonly Route[];
  /** What an earlier handshake proved is remembered by some proxies, and by some not well. */
  readonly resumed: readonly Route[];
}

/**
 * The ways to try.
 *
 * @param url where the operator sent us. When the server calls itself otherwise, only that is tried
 * @param connectTo where to connect in fact
 */
export function routesTo(
  url: string,
  server: { readonly issuer: string; readonly mtls_url: string },
  connectTo: Address | undefined,
): Routes {
  const isKnown = [server.issuer, server.mtls_url].map(withoutTrailingSlash).includes(withoutTrailingSlash(url));
  const mutualTls = endpointAt(isKnown ? server.mtls_url : url, connectTo);
  const issuer = endpointAt(isKnown ? server.issuer : url, connectTo);
  const one = straight('mutual_tls', mutualTls);
  const unnamed = { ...one, ...unnamedHandshake } as const;
  if (mutualTls.url === issuer.url) return { straight: [one], crossing: [unnamed], resumed: [resumed(one)] };
  const both = [one, straight('issuer', issuer)] as const;
  const crossing = mutualTls.authority === issuer.authority ? [unnamed] : [unnamed, ...crossings(mutualTls, issuer)];
  return { straight: both, crossing, resumed: both.map(resumed) };
}

const unnamedHandshake = {
  name: 'no_server_name',
  title: 'no name in the handshake',
  serverName: '',
  transport: 'tls_to_anybody',
} as const;

function resumed(route: Route): Route {
  const title = `${route.title}, in a TLS session that is resumed`;
  return { ...route, name: 'resumed_session', title, transport: 'resumed_tls' };
}

/** Whether the server knows itself by this URL. */
interface Endpoint extends TokenEndpoint {
  readonly url: string;
  readonly host: string;
  readonly address: Address;
}

function endpointAt(base: string, connectTo: Address | undefined): Endpoint {
  const url = `${withoutTrailingSlash(base)}/token`;
  const { host, hostname, port, pathname } = new URL(url);
  const bare = hostname.replace(/^\[|\]$/g, '');
  return {
    url,
    authority: host,
    path: pathname,
    host: bare,
    address: connectTo ?? { host: bare, port: Number(port || 443) },
  };
}

function straight(name: 'mutual_tls' | 'issuer', { url, address, host, authority, path }: Endpoint): Route {
  return { name, title: url, address, serverName: host, transport: 'tls', endpoints: [{ authority, path }] };
}

function crossings(mutualTls: Endpoint, issuer: Endpoint): Route[] {
  const route = (name: Crossing, title: string, first: Endpoint, ...endpoints: Route['endpoints']): Route => {
    return { name, title, address: first.address, serverName: first.host, transport: 'tls', endpoints };
  };
  return [
    route('issuer_handshake', `${issuer.host} in the handshake, ${mutualTls.host} in the request`, issuer, mutualTls),
    route(
      'mutual_tls_handshake',
      `${mutualTls.host} in the handshake, ${issuer.host} in the request`,
      mutualTls,
      issuer,
    ),
    route(
      'reused_from_issuer',
      `first ${issuer.host}, then ${mutualTls.host}, over one connection`,
      issuer,
      issuer,
      mutualTls,
    ),
    route(
      'reused_from_mutual_tls',
      `first ${mutualTls.host}, then ${issuer.host}, over one connection`,
      mutualTls,
      mutualTls,
      issuer,
    ),
  ];
}
