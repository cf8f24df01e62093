const sentinelParameters = ['sentinel_username', 'sentinel_password'];

/** The URL schemes of Redis; `port` is the default port. */
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

/** One URL per host, at least one. They differ only in the host and port. */
interface HostUrls {
  readonly scheme: Scheme;
  readonly urls: readonly [URL, ...URL[]];
}

export const PERCENT_ENCODING_HINT = 'special characters in a user name or password must be percent-encoded';

/**
 * Splits a URL with several hosts, which WHATWG URLs do not support: `scheme://user:password@host:port,host:port/path?query`.
 *
 * @throws {RangeError} whose message never contains the URL, which may hold a password
 */
export function splitHosts(text: string): HostUrls {
  const [, scheme = '', userinfoAndHosts = '', rest = ''] = /^([a-z+]+:)\/\/([^/?#]*)(.*)$/s.exec(text.trim()) ?? [];
  if (!isScheme(scheme)) {
    const known = Object.keys(schemes).map((each) => `${each}//`);
    throw new RangeError(`is not a URL that starts with one of ${known.join(', ')}`);
  }
  const { userinfo, hosts } = splitUserinfo(userinfoAndHosts);
  if (scheme !== 'unix:' && hosts.includes('')) throw new RangeError('has no host');
  const [first, ...others] = hosts.map((host) => parseUrl(scheme, `${userinfo}${host}${rest}`));
  if (!first) throw new RangeError('has no host');
  return { scheme, urls: [first, ...others] };
}

function isScheme(text: string): text is Scheme {
  return Object.hasOwn(schemes, text);
}

/** Splits `user:password@host,host` (RFC 3986 §3.2). `userinfo` includes its `@`, or is empty. */
function splitUserinfo(userinfoAndHosts: string): { userinfo: string; hosts: readonly string[] } {
  const end = userinfoAndHosts.lastIndexOf('@') + 1;
  if (userinfoAndHosts.includes(',') && userinfoAndHosts.indexOf('@') !== end - 1) {
    throw new RangeError('has more than one @: user name and password appear once, before the first host');
  }
  return { userinfo: userinfoAndHosts.slice(0, end), hosts: userinfoAndHosts.slice(end).split(',') };
}

function parseUrl(scheme: Scheme, rest: string): URL {
  const text = `${scheme}//${rest}`;
  if (!URL.canParse(text)) throw new RangeError(`is not a URL: check host and port; ${PERCENT_ENCODING_HINT}`);
  const url = new URL(text);
  if (url.hash !== '' || text.includes('#')) throw new RangeError(`has a #; ${PERCENT_ENCODING_HINT}`);
  if (url.port === '0') throw new RangeError('has port 0');
  requireKnownParameters(url, schemes[scheme].parameters);
  return url;
}

function requireKnownParameters({ search, searchParams }: URL, known: readonly string[]): void {
  const [unknown] = [...searchParams.keys()].filter((name) => !known.includes(name));
  if (unknown === undefined) return;
  // The "parameter" may be the rest of a password.
  if (search.includes('@')) throw new RangeError(`has an @ after a ?; ${PERCENT_ENCODING_HINT}`);
  const allowed = known.length > 0 ? `only ${known.join(' and ')} may be used` : 'there are none for this scheme';
  throw new RangeError(`has an unknown parameter "${unknown}"; ${allowed}`);
}
