import { isIP } from 'node:net';

/** Where Redis is, taken apart. */
export interface RedisAddress {
  /** What ioredis connects with; the database is not in it, see {@link RedisAddress.database}. */
  readonly connection: RedisConnection;
  /** Selected by us: ioredis only mentions it when a SELECT fails, and goes on with database 0. */
  readonly database: number;
  /** For logs: without user and password. */
  readonly description: string;
}

export type RedisConnection = Credentials &
  (
    | { readonly host: string; readonly port: number; readonly tls?: { readonly servername?: string } }
    | { readonly path: string }
  );

interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/**
 * Takes a URL apart: `redis://user:password@host:port/database`, `rediss://…` for TLS, or
 * `unix:///path?db=database`, with credentials `unix://user:password@localhost/path`.
 *
 * @throws {RangeError} that never repeats the URL, which may hold a password
 */
export function parseRedisUrl(text: string): RedisAddress {
  if (!/^(?:rediss?|unix):\/\//.test(text) || !URL.canParse(text)) {
    throw new RangeError('is not a URL that begins with redis://, rediss:// or unix://');
  }
  const url = new URL(text);
  return url.protocol === 'unix:' ? overSocket(url) : overTcp(url);
}

function overTcp(url: URL): RedisAddress {
  if (url.hostname === '') throw new RangeError('names no host');
  const database = parseDatabase(url.pathname.replace(/^\//, ''));
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? 6379 : Number(url.port);
  // A server name is never an address (RFC 6066 §3); the certificate is then checked for the address.
  const tls = url.protocol === 'rediss:' ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {};
  const description = `${url.protocol}//${url.hostname}:${port}/${database}`;
  return { connection: { host, port, ...tls, ...credentialsOf(url) }, database, description };
}

function overSocket(url: URL): RedisAddress {
  if (url.pathname.length < 2) throw new RangeError('names no socket, as in unix:///run/redis.sock');
  const database = parseDatabase(url.searchParams.get('db') ?? '');
  const path = decodeURIComponent(url.pathname);
  return { connection: { path, ...credentialsOf(url) }, database, description: `unix:${path}, database ${database}` };
}

function parseDatabase(text: string): number {
  if (/^\d{0,5}$/.test(text)) return Number(text);
  throw new RangeError('names a database that is not a number');
}

function credentialsOf({ username, password }: URL): Credentials {
  return {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
}
