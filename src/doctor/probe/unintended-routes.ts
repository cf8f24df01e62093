import type { Route } from './routes.ts';

/** Routes where other rules of the proxy may apply than on the direct ones, or none. Most should be closed. */
export interface UnintendedRoutes {
  /** The other paths at which the server authenticates clients, and other spellings of the direct ones. */
  readonly paths: readonly Route[];
  /** Names that the proxy does not serve, so that its default server responds. */
  readonly unknownNames: readonly Route[];
  readonly plainHttp: readonly Route[];
}

/**
 * Plans the routes besides those on which the doctor tries every forgery.
 *
 * @param basePaths the paths below which the server has its endpoints, without a trailing slash
 * @param httpPort of the same host
 */
export function unintendedRoutes(
  direct: readonly [Route, ...Route[]],
  basePaths: readonly string[],
  httpPort: number,
): UnintendedRoutes {
  const names = [...new Map(direct.map((route) => [route.endpoints[0].host, route])).values()];
  const directTitles = direct.map(({ title }) => title);
  const paths = [...new Set(['', ...basePaths])].flatMap((base) => endpointNames.map((name) => `${base}/${name}`));
  const otherPaths = names
    .flatMap((route) => paths.map((path) => atPath(route, path, 'other_path')))
    .filter(({ title }) => !directTitles.includes(title));
  return {
    paths: [...otherPaths, ...direct.flatMap(unnormalizedPaths)],
    unknownNames: [...names.flatMap(withUnknownName), withUnknownNames(direct[0])],
    plainHttp: names.map((route) => plainHttp(route, httpPort)),
  };
}

/** The endpoints that authenticate clients. */
const endpointNames = ['token', 'introspect', 'revoke'];

/** Equivalent paths (RFC 3986 §6.2.2 and §5.2.4) that a rule of the proxy may not match. */
function unnormalizedPaths(route: Route): Route[] {
  const [{ path }] = route.endpoints;
  const base = path.slice(0, -'/token'.length);
  return ['/%74oken', '/./token', '/x/../token'].map((end) => atPath(route, base + end, 'unnormalized_path'));
}

function atPath(route: Route, path: string, name: Route['name']): Route {
  const [{ host }] = route.endpoints;
  return { ...route, name, title: `https://${host}${path}`, endpoints: [{ host, path }] };
}

/** A name that never exists (RFC 6761 §6.4). */
const UNKNOWN_NAME = 'countersign-doctor.invalid';

function withUnknownName(route: Route): Route[] {
  const { serverName, endpoints } = route;
  return [
    {
      ...route,
      name: 'unknown_host',
      title: `${serverName} in the handshake, an unknown name in the request`,
      endpoints: [{ host: UNKNOWN_NAME, path: endpoints[0].path }],
    },
    {
      ...route,
      name: 'unknown_server_name',
      title: `an unknown name in the handshake, ${serverName} in the request`,
      serverName: UNKNOWN_NAME,
      transport: 'tls_unverified',
    },
  ];
}

function withUnknownNames({ address, endpoints }: Route): Route {
  return {
    name: 'unknown_server_name',
    title: 'an unknown name in the handshake and in the request',
    address,
    serverName: UNKNOWN_NAME,
    transport: 'tls_unverified',
    endpoints: [{ host: UNKNOWN_NAME, path: endpoints[0].path }],
  };
}

function plainHttp({ address, serverName, endpoints }: Route, port: number): Route {
  const name = serverName.includes(':') ? `[${serverName}]` : serverName;
  const host = port === 80 ? name : `${name}:${port}`;
  const [{ path }] = endpoints;
  const title = `http://${host}${path}`;
  return {
    name: 'plain_http',
    title,
    address: { ...address, port },
    serverName,
    transport: 'plain',
    endpoints: [{ host, path }],
  };
}
