import { isIP } from 'node:net';
import { PERCENT_ENCODING_HINT, type Scheme, schemes, splitHosts } from './url-hosts.ts';

/** Where Redis is. */
export type RedisAddress = RedisTarget & {
  readonly credentials: Credentials;
  /** Whether to use TLS; its certificates are configured separately. */
  readonly isEncrypted: boolean;
  /** To be selected by us: when its own SELECT fails, ioredis emits an error and stays in database 0. */
  readonly database: number;
  /** For logs: without user names and passwords. */
  readonly description: string;
};

type RedisTarget =
  | { readonly kind: 'server'; readonly endpoint: Endpoint }
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly Endpoint[];
      /** The name under which the sentinels monitor the master. */
      readonly master: string;
      readonly sentinelCredentials: Credentials;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly Endpoint[] };

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/**
 * Parses a Redis URL. `rediss` in place of `redis` means TLS. The default port is 6379, or 26379 for a sentinel.
 *
 * - `redis://user:password@host:port/database`
 * - `unix:///path?db=database`, with credentials `unix://user:password@localhost/path`
 * - `redis+sentinel://user:password@sentinel:port,sentinel:port/master/database`; if the sentinels require their own
 *   credentials, with `?sentinel_username=…&sentinel_password=…`
 * - `redis+cluster://user:password@node:port,node:port`
 *
 * @throws {RangeError} whose message never contains the URL, which may hold a password
 */
export function parseRedisUrl(text: string): RedisAddress {
  const { scheme, urls } = splitHosts(text);
  const [url] = urls;
  const { kind } = schemes[scheme];
  if (kind === 'socket') return parseSocketUrl(url);
  const endpoints = urls.map((each) => endpointOf(each, scheme));
  if (kind === 'sentinel') return parseSentinelUrl(url, scheme, endpoints);
  if (kind === 'cluster') return parseClusterUrl(url, scheme, endpoints);
  return parseServerUrl(url, scheme, endpoints);
}

function endpointOf(url: URL, scheme: Scheme): Endpoint {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: url.port === '' ? schemes[scheme].port : Number(url.port) };
}

function parseServerUrl(url: URL, scheme: Scheme, endpoints: readonly Endpoint[]): RedisAddress {
  const [endpoint, ...others] = endpoints;
  if (!endpoint || others.length > 0) {
    throw new RangeError('has more than one host: use redis+sentinel:// or redis+cluster://');
  }
  const database = parseDatabase(url.pathname.replace(/^\//, ''));
  const description = `${scheme}//${formatEndpoint(endpoint)}/${database}`;
  return { kind: 'server', endpoint, ...parseAccess(url, scheme), database, description };
}

function parseSocketUrl(url: URL): RedisAddress {
  if (!['', 'localhost'].includes(url.hostname.toLowerCase())) {
    throw new RangeError(`has a host, but a socket is a path, as in unix:///run/redis.sock; ${PERCENT_ENCODING_HINT}`);
  }
  if (url.pathname.length < 2) throw new RangeError('has no socket path, as in unix:///run/redis.sock');
  const database = parseDatabase(url.searchParams.get('db') ?? '');
  const path = percentDecode(url.pathname);
  const description = `unix:${path}, database ${database}`;
  return { kind: 'socket', path, ...parseAccess(url, 'unix:'), database, description };
}

function parseSentinelUrl(url: URL, scheme: Scheme, sentinels: readonly Endpoint[]): RedisAddress {
  const [, master = '', number = ''] = /^\/([^/]*)(?:\/([^/]*))?$/.exec(url.pathname) ?? [];
  if (master === '') throw new RangeError('has no master name, as in redis+sentinel://sentinel:26379/mymaster');
  if (master.includes('@')) throw new RangeError(`has an @ in the master name; ${PERCENT_ENCODING_HINT}`);
  const database = parseDatabase(number);
  const description = `${scheme}//${sentinels.map(formatEndpoint).join(',')}/${master}/${database}`;
  const sentinelCredentials = toCredentials(
    url.searchParams.get('sentinel_username') ?? '',
    url.searchParams.get('sentinel_password') ?? '',
  );
  const target = { kind: 'sentinel', sentinels, master: percentDecode(master), sentinelCredentials } as const;
  return { ...target, ...parseAccess(url, scheme), database, description };
}

function parseClusterUrl(url: URL, scheme: Scheme, nodes: readonly Endpoint[]): RedisAddress {
  if (!['', '/', '/0'].includes(url.pathname))
    throw new RangeError('has a database, but a cluster only has database 0');
  const description = `${scheme}//${nodes.map(formatEndpoint).join(',')}`;
  return { kind: 'cluster', nodes, ...parseAccess(url, scheme), database: 0, description };
}

function parseAccess(url: URL, scheme: Scheme): Pick<RedisAddress, 'credentials' | 'isEncrypted'> {
  const username = percentDecode(url.username);
  return {
    credentials: toCredentials(username, percentDecode(url.password)),
    isEncrypted: schemes[scheme].isEncrypted,
  };
}

function toCredentials(username: string, password: string): Credentials {
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function parseDatabase(text: string): number {
  if (/^\d{0,5}$/.test(text)) return Number(text);
  throw new RangeError('has a database that is not a number');
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError('has a % that does not start a percent-encoded character');
  }
}

/** `host:port` as in a URL: an IPv6 address in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
