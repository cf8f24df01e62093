import { identityHeaders, REMOVAL_HEADER } from '../../../edge/approval.ts';
import { PROXY_SECRET_HEADER } from '../../../terminator/trusted-proxy.ts';
import type { Arrival } from '../../observer/arrival.ts';
import type { ForwardingConfig } from '../../observer/effective-config.ts';
import type { ClientKeyPair } from '../client-key-pair.ts';
import { capitalize, forgedFields } from '../forgeries/forged-fields.ts';
import { writtenInEveryWay } from '../forgeries/forgeries.ts';
import { type Field, type Forgery, nothingForged } from '../forgeries/forgery.ts';
import type { HandshakeReport } from '../probe-report.ts';
import type { Address, Route } from '../routes.ts';
import type { Protocol } from '../send/connection.ts';
import type { PresentedAs, ProbeResponse, Trial } from '../trial.ts';

/** The outcome of a trial at the edge. */
export interface EdgeTrialResult extends Trial {
  readonly response: ProbeResponse;
  /** What the upstream received; undefined if the request did not reach it. */
  readonly arrival: Arrival | undefined;
}

/** In every forged value, so that it is recognized wherever it arrives. */
export const FORGED = 'forged-by-countersign-doctor';

/** What only the proxy and the edge may set, and what the upstream would trust; `Authorization` is forged apart. */
const forgedIdentity: readonly Field[] = [
  ...Object.keys(identityHeaders).filter((name) => name !== 'Authorization'),
  'X-Countersign-Error',
  REMOVAL_HEADER,
  capitalize(PROXY_SECRET_HEADER),
].map((name) => [name, FORGED]);

const forgedAuthorization: readonly Field[] = [['Authorization', `Bearer ${FORGED}`]];

/** @param connectTo where to connect instead of the URL's host and port */
export function protectedRoute(url: string, connectTo: Address | undefined): Route {
  const { hostname, port, host, pathname, search } = new URL(url);
  const serverName = hostname.replace(/^\[|\]$/g, '');
  return {
    name: 'protected',
    title: url,
    address: connectTo ?? { host: serverName, port: Number(port || 443) },
    serverName,
    transport: 'tls',
    endpoints: [{ host, path: pathname + search }],
  };
}

/** Without any forgery: with each certificate, and without one. */
export function edgeBaseline(route: Route, handshake: HandshakeReport, { generated }: ClientKeyPair): Trial[] {
  const certificates: readonly PresentedAs[] = generated ? ['own', 'none'] : ['own', 'untrusted', 'none'];
  return certificates.flatMap((presented) => withProtocols({ route, presented, forgery: nothingForged }, handshake));
}

/** With every forgery, with the certificate and without one; and other spellings of the path. */
export function edgeForgeries(
  route: Route,
  handshake: HandshakeReport,
  edge: ForwardingConfig,
  forgedCertificate: Uint8Array,
): Trial[] {
  const forgeries = [
    ...prefixed('identity', 'the identity headers', writtenInEveryWay(forgedIdentity)),
    ...prefixed('authorization', 'Authorization', writtenInEveryWay(forgedAuthorization)),
    ...prefixed('certificate', 'a certificate', writtenInEveryWay(forgedFields(edge, forgedCertificate).all)),
  ];
  const trials = (presented: PresentedAs) => [
    ...forgeries.flatMap((forgery) => withProtocols({ route, presented, forgery }, handshake)),
    ...unnormalizedRoutes(route).flatMap((other) =>
      withProtocols({ route: other, presented, forgery: nothingForged }, handshake),
    ),
  ];
  return [...trials('own'), ...trials('none')];
}

function prefixed(name: string, title: string, forgeries: readonly Forgery[]): Forgery[] {
  return forgeries.map((forgery) => ({
    ...forgery,
    name: `${name}_${forgery.name}`,
    title: `${title} ${forgery.title}`,
  }));
}

function withProtocols(trial: Omit<Trial, 'protocol'>, { http2 }: HandshakeReport): Trial[] {
  const { http1: lines, http2: fields } = trial.forgery;
  const protocols: Protocol[] = [...(lines ? ['http/1.1' as const] : []), ...(fields && http2 ? ['h2' as const] : [])];
  return protocols.map((protocol) => ({ ...trial, protocol }));
}

/** Paths that the proxy may choose another rule for than for the original, and that the upstream may read as it. */
function unnormalizedRoutes(route: Route): Route[] {
  const [{ host, path }] = route.endpoints;
  const [pathname = '', ...search] = path.split(/(?=\?)/);
  const [, first = '', rest = ''] = /^\/(.)?(.*)$/.exec(pathname) ?? [];
  const encoded = first === '' ? '' : `%${first.charCodeAt(0).toString(16)}`;
  const paths = [
    `/${encoded}${rest}`,
    `/${first.toUpperCase()}${rest}`,
    `/.${pathname}`,
    `/x/..${pathname}`,
    `/x/%2e%2e${pathname}`,
    `/x/..;${pathname}`,
    `/${pathname}`,
    `${pathname.replace(/\/$/, '')};x`,
    pathname.replace(/\/$/, ''),
    `${pathname}../x`,
  ];
  return [...new Set(paths)]
    .filter((other) => other !== pathname && other !== '')
    .map((other) => {
      const title = `https://${host}${other}`;
      return { ...route, name: 'unnormalized_path', title, endpoints: [{ host, path: other + search.join('') }] };
    });
}
