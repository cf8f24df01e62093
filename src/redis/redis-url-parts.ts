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

export const ENCODING = 'what is special in a user or password must be percent-encoded';

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
  const [first, ...others] = hosts.map((host) => urlOf(scheme, `${userinfo}${host}${rest}`));
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

function urlOf(scheme: Scheme, rest: string): URL {
  const text = `${scheme}//${rest}`;
  if (!URL.canParse(text)) throw new RangeError(`is not a URL: see its host and port, and ${ENCODING}`);
  const url = new URL(text);
  if (url.hash !== '' || text.includes('#')) throw new RangeError(`has a # in it; ${ENCODING}`);
  if (url.port === '0') throw new RangeError('names port 0');
  requireKnownParameters(url, schemes[scheme].parameters);
  return url;
}

function requireKnownParameters({ search, searchParams }: URL, known: readonly string[]): void {
  const [unknown] = [...searchParams.keys()].filter((name) => !known.includes(name));
  if (unknown === undefined) return;
  // Then it may be the rest of a password.
  if (search.includes('@')) throw new RangeError(`has an @ after a ?; ${ENCODING}`);
  const others = known.length > 0 ? `it may have ${known.join(' and ')}` : 'it may have none';
  throw new RangeError(`has a parameter "${unknown}"; ${others}`);
}
