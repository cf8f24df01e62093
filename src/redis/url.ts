import { isIP } from 'node:net';

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
  if (kind === 'socket') return socketAddress(url);
  const endpoints = urls.map((each) => parseEndpoint(each, scheme));
  if (kind === 'sentinel') return sentinelAddress(url, scheme, endpoints);
  if (kind === 'cluster') return clusterAddress(url, scheme, endpoints);
  return serverAddress(url, scheme, endpoints);
}

function parseEndpoint(url: URL, scheme: Scheme): Endpoint {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: url.port === '' ? schemes[scheme].port : Number(url.port) };
}

function serverAddress(url: URL, scheme: Scheme, endpoints: readonly Endpoint[]): RedisAddress {
  const [endpoint, ...others] = endpoints;
  if (!endpoint || others.length > 0) {
    throw new RangeError('names several hosts; begin it with redis+sentinel:// or redis+cluster://');
  }
  const database = parseDatabase(url.pathname.replace(/^\//, ''));
  const description = `${scheme}//${formatEndpoint(endpoint)}/${database}`;
  return { kind: 'server', endpoint, ...commonFields(url, scheme), database, description };
}

function socketAddress(url: URL): RedisAddress {
  if (!['', 'localhost'].includes(url.hostname.toLowerCase())) {
    throw new RangeError(
      `names a host, and a socket is a path, as in unix:///run/redis.sock; ${PERCENT_ENCODING_HINT}`,
    );
  }
  if (url.pathname.length < 2) throw new RangeError('names no socket, as in unix:///run/redis.sock');
  const database = parseDatabase(url.searchParams.get('db') ?? '');
  const path = percentDecode(url.pathname);
  const description = `unix:${path}, database ${database}`;
  return { kind: 'socket', path, ...commonFields(url, 'unix:'), database, description };
}

function sentinelAddress(url: URL, scheme: Scheme, sentinels: readonly Endpoint[]): RedisAddress {
  const [, master = '', number = ''] = /^\/([^/]*)(?:\/([^/]*))?$/.exec(url.pathname) ?? [];
  if (master === '') throw new RangeError('names no master, as in redis+sentinel://sentinel:26379/mymaster');
  if (master.includes('@')) throw new RangeError(`has an @ in the name of the master; ${PERCENT_ENCODING_HINT}`);
  const database = parseDatabase(number);
  const description = `${scheme}//${sentinels.map(formatEndpoint).join(',')}/${master}/${database}`;
  const sentinelCredentials = toCredentials(
    url.searchParams.get('sentinel_username') ?? '',
    url.searchParams.get('sentinel_password') ?? '',
  );
  const target = { kind: 'sentinel', sentinels, master: percentDecode(master), sentinelCredentials } as const;
  return { ...target, ...commonFields(url, scheme), database, description };
}

function clusterAddress(url: URL, scheme: Scheme, nodes: readonly Endpoint[]): RedisAddress {
  if (!['', '/', '/0'].includes(url.pathname)) throw new RangeError('names a database; a cluster has none but 0');
  const description = `${scheme}//${nodes.map(formatEndpoint).join(',')}`;
  return { kind: 'cluster', nodes, ...commonFields(url, scheme), database: 0, description };
}

function commonFields(url: URL, scheme: Scheme): { credentials: Credentials; isEncrypted: boolean } {
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
  throw new RangeError('names a database that is not a number');
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError('has a % that begins no percent-encoding');
  }
}

const sentinelParameters = ['sentinel_username', 'sentinel_password'];

/** What each scheme means; `port` is that of a host without one. */
export const schemes = {
  'redis:': { kind: 'server', isEncrypted: false, port: 6379, parameters: [] },
  'rediss:': { kind: 'server', isEncrypted: true, port: 6379, parameters: [] },
  'unix:': { kind: 'socket', isEncrypted: false, port: 0, parameters: ['db'] },
  'redis+sentinel:': { kind: 'sentinel', isEncrypted: false, port: 26379, parameters: sentinelParameters },
  'rediss+sentinel:': { kind: 'sentinel', isEncrypted: true, port: 26379, parameters: sentinelParameters },
  'redis+cluster:': { kind: 'cluster', isEncrypted: false, port: 6379, parameters: [] },
  'rediss+cluster:': { kind: 'cluster', isEncrypted: true, port: 6379, parameters: [] },
} as const;

export type Scheme = keyof typeof schemes;

/** A URL for each host that was named, at least one; they differ in nothing else. */
export interface UrlParts {
  readonly scheme: Scheme;
  readonly urls: readonly [URL, ...URL[]];
}

export const PERCENT_ENCODING_HINT = 'what is special in a user or password must be percent-encoded';

/**
 * Takes apart what has several hosts, and so is no URL: `scheme://user:password@host:port,host:port/path?query`.
 *
 * @throws {RangeError} that never repeats the text, which may hold a password
 */
export function splitRedisUrl(text: string): UrlParts {
  const [, scheme = '', authority = '', rest = ''] = /^([a-z+]+:)\/\/([^/?#]*)(.*)$/s.exec(text.trim()) ?? [];
  if (!isScheme(scheme)) {
    const known = Object.keys(schemes).map((each) => `${each}//`);
    throw new RangeError(`is not a URL that begins with one of ${known.join(', ')}`);
  }
  const { userinfo, hosts } = splitAuthority(authority);
  if (scheme !== 'unix:' && hosts.includes('')) throw new RangeError('names no host');
  const [first, ...others] = hosts.map((host) => parseHostUrl(scheme, `${userinfo}${host}${rest}`));
  if (!first) throw new RangeError('names no host');
  return { scheme, urls: [first, ...others] };
}

function isScheme(text: string): text is Scheme {
  return Object.hasOwn(schemes, text);
}

/** `userinfo` with its `@`, or empty. */
function splitAuthority(authority: string): { userinfo: string; hosts: readonly string[] } {
  const end = authority.lastIndexOf('@') + 1;
  if (authority.includes(',') && authority.indexOf('@') !== end - 1) {
    throw new RangeError('has more than one @; user and password stand once, before the first host');
  }
  return { userinfo: authority.slice(0, end), hosts: authority.slice(end).split(',') };
}

function parseHostUrl(scheme: Scheme, rest: string): URL {
  const text = `${scheme}//${rest}`;
  if (!URL.canParse(text)) throw new RangeError(`is not a URL: see its host and port, and ${PERCENT_ENCODING_HINT}`);
  const url = new URL(text);
  if (url.hash !== '' || text.includes('#')) throw new RangeError(`has a # in it; ${PERCENT_ENCODING_HINT}`);
  if (url.port === '0') throw new RangeError('names port 0');
  requireKnownParameters(url, schemes[scheme].parameters);
  return url;
}

function requireKnownParameters({ search, searchParams }: URL, known: readonly string[]): void {
  const [unknown] = [...searchParams.keys()].filter((name) => !known.includes(name));
  if (unknown === undefined) return;
  // Then it may be the rest of a password.
  if (search.includes('@')) throw new RangeError(`has an @ after a ?; ${PERCENT_ENCODING_HINT}`);
  const others = known.length > 0 ? `it may have ${known.join(' and ')}` : 'it may have none';
  throw new RangeError(`has a parameter "${unknown}"; ${others}`);
}

/** Where Redis is, taken apart. */
export type RedisAddress = RedisTarget & {
  readonly credentials: Credentials;
  /** Over TLS or not; which CA and which certificate of ours is said elsewhere. */
  readonly isEncrypted: boolean;
  /** Selected by us: ioredis only mentions it when a SELECT fails, and goes on with database 0. */
  readonly database: number;
  /** For logs: without users and passwords. */
  readonly description: string;
};

export type RedisTarget =
  | { readonly kind: 'server'; readonly endpoint: Endpoint }
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly Endpoint[];
      /** The name under which the sentinels know the master. */
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

/** `host:port`, an IPv6 address in brackets, as it stands in a URL. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
