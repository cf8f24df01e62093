import { type Credentials, type Endpoint, endpointText, type RedisAddress } from './redis-address.ts';
import { ENCODING, type Scheme, schemes, splitRedisUrl } from './redis-url-parts.ts';

/**
 * Takes a URL apart. `rediss` instead of `redis` is TLS; without a port it is 6379, and 26379 for a sentinel.
 *
 * - `redis://user:password@host:port/database`
 * - `unix:///path?db=database`, with credentials `unix://user:password@localhost/path`
 * - `redis+sentinel://user:password@sentinel:port,sentinel:port/master/database`, where the sentinels want credentials
 *   of their own `?sentinel_username=…&sentinel_password=…`
 * - `redis+cluster://user:password@node:port,node:port`
 *
 * @throws {RangeError} that never repeats the URL, which may hold a password
 */
export function parseRedisUrl(text: string): RedisAddress {
  const { scheme, urls } = splitRedisUrl(text);
  const [url] = urls;
  const { kind } = schemes[scheme];
  if (kind === 'socket') return overSocket(url);
  const endpoints = urls.map((each) => endpointOf(each, scheme));
  if (kind === 'sentinel') return overSentinels(url, scheme, endpoints);
  if (kind === 'cluster') return overCluster(url, scheme, endpoints);
  return toServer(url, scheme, endpoints);
}

function endpointOf(url: URL, scheme: Scheme): Endpoint {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: url.port === '' ? schemes[scheme].port : Number(url.port) };
}

function toServer(url: URL, scheme: Scheme, endpoints: readonly Endpoint[]): RedisAddress {
  const [endpoint, ...others] = endpoints;
  if (!endpoint || others.length > 0) {
    throw new RangeError('names several hosts; begin it with redis+sentinel:// or redis+cluster://');
  }
  const database = parseDatabase(url.pathname.replace(/^\//, ''));
  const description = `${scheme}//${endpointText(endpoint)}/${database}`;
  return { kind: 'server', endpoint, ...common(url, scheme), database, description };
}

function overSocket(url: URL): RedisAddress {
  if (!['', 'localhost'].includes(url.hostname.toLowerCase())) {
    throw new RangeError(`names a host, and a socket is a path, as in unix:///run/redis.sock; ${ENCODING}`);
  }
  if (url.pathname.length < 2) throw new RangeError('names no socket, as in unix:///run/redis.sock');
  const database = parseDatabase(url.searchParams.get('db') ?? '');
  const path = decoded(url.pathname);
  const description = `unix:${path}, database ${database}`;
  return { kind: 'socket', path, ...common(url, 'unix:'), database, description };
}

function overSentinels(url: URL, scheme: Scheme, sentinels: readonly Endpoint[]): RedisAddress {
  const [, master = '', number = ''] = /^\/([^/]*)(?:\/([^/]*))?$/.exec(url.pathname) ?? [];
  if (master === '') throw new RangeError('names no master, as in redis+sentinel://sentinel:26379/mymaster');
  if (master.includes('@')) throw new RangeError(`has an @ in the name of the master; ${ENCODING}`);
  const database = parseDatabase(number);
  const description = `${scheme}//${sentinels.map(endpointText).join(',')}/${master}/${database}`;
  const sentinelCredentials = credentials(
    url.searchParams.get('sentinel_username') ?? '',
    url.searchParams.get('sentinel_password') ?? '',
  );
  const target = { kind: 'sentinel', sentinels, master: decoded(master), sentinelCredentials } as const;
  return { ...target, ...common(url, scheme), database, description };
}

function overCluster(url: URL, scheme: Scheme, nodes: readonly Endpoint[]): RedisAddress {
  if (!['', '/', '/0'].includes(url.pathname)) throw new RangeError('names a database; a cluster has none but 0');
  const description = `${scheme}//${nodes.map(endpointText).join(',')}`;
  return { kind: 'cluster', nodes, ...common(url, scheme), database: 0, description };
}

function common(url: URL, scheme: Scheme): { credentials: Credentials; isEncrypted: boolean } {
  const username = decoded(url.username);
  return {
    credentials: credentials(username, decoded(url.password)),
    isEncrypted: schemes[scheme].isEncrypted,
  };
}

function credentials(username: string, password: string): Credentials {
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function parseDatabase(text: string): number {
  if (/^\d{0,5}$/.test(text)) return Number(text);
  throw new RangeError('names a database that is not a number');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError('has a % that begins no percent-encoding');
  }
}
