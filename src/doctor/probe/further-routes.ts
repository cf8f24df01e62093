import type { Address, Route } from './routes.ts';

type Straight = readonly [Route, ...Route[]];

/** Where nobody means to let requests in, and a proxy may all the same: other rules are in force there, or none. */
export interface FurtherRoutes {
  /** The other paths under which the server answers, and other spellings of all of them. */
  readonly paths: readonly Route[];
  /** Names that the proxy does not serve; its default server answers. */
  readonly unknownNames: readonly Route[];
  /** Without TLS. */
  readonly plain: readonly Route[];
}

/**
 * @param bases the paths below which the server has its endpoints, without a slash at the end
 * @param httpPort of the same host
 */
export function furtherRoutes(straight: Straight, bases: readonly string[], httpPort: number): FurtherRoutes {
  const names = [...new Map(straight.map((route) => [route.endpoints[0].authority, route])).values()];
  const known = straight.map(({ title }) => title);
  const paths = [...new Set(['', ...bases])].map((base) => `${base}/token`);
  const others = names.flatMap((route) => paths.map((path) => atPath(route, path, 'other_path')));
  return {
    paths: [...others.filter(({ title }) => !known.includes(title)), ...straight.flatMap(spelledOtherwise)],
    unknownNames: [...names.flatMap(unknownNames), bothUnknown(straight[0])],
    plain: names.map((route) => plain(route, httpPort)),
  };
}

/** What RFC 3986 §6.2.2 and §5.2.4 take for the same path, and a rule of the proxy may not. */
function spelledOtherwise(route: Route): Route[] {
  const [{ path }] = route.endpoints;
  const before = path.slice(0, -'/token'.length);
  return ['/%74oken', '/./token', '/x/../token'].map((spelled) => atPath(route, before + spelled, 'path_spelling'));
}

function atPath(route: Route, path: string, name: Route['name']): Route {
  const [{ authority }] = route.endpoints;
  return { ...route, name, title: `https://${authority}${path}`, endpoints: [{ authority, path }] };
}

/** RFC 6761 §6.4: nobody has it. */
const UNKNOWN = 'countersign-doctor.invalid';

function unknownNames(route: Route): Route[] {
  const { serverName, endpoints } = route;
  return [
    {
      ...route,
      name: 'unknown_host',
      title: `${serverName} in the handshake, an unknown name in the request`,
      endpoints: [{ authority: UNKNOWN, path: endpoints[0].path }],
    },
    {
      ...route,
      name: 'unknown_server_name',
      title: `an unknown name in the handshake, ${serverName} in the request`,
      serverName: UNKNOWN,
      transport: 'tls_to_anybody',
    },
  ];
}

function bothUnknown({ address, endpoints }: Route): Route {
  return {
    name: 'unknown_server_name',
    title: 'an unknown name in the handshake and in the request',
    address,
    serverName: UNKNOWN,
    transport: 'tls_to_anybody',
    endpoints: [{ authority: UNKNOWN, path: endpoints[0].path }],
  };
}

function plain({ address, serverName, endpoints }: Route, port: number): Route {
  const at: Address = { host: address.host, port };
  const host = serverName.includes(':') ? `[${serverName}]` : serverName;
  const authority = port === 80 ? host : `${host}:${port}`;
  const [{ path }] = endpoints;
  const title = `http://${authority}${path}`;
  return { name: 'plain_http', title, address: at, serverName, transport: 'plain', endpoints: [{ authority, path }] };
}
