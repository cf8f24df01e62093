/**
 * Validates a base URL that clients compare character by character (RFC 8414 §2, §3.3): https, lower-case host, no
 * default port, no query, no fragment. Plain http is allowed for loopback names only.
 *
 * @returns `text`, unchanged
 * @throws {RangeError} with the accepted spelling
 */
export function parseBaseUrl(text: string): string {
  if (!URL.canParse(text)) throw new RangeError(`"${text}" is not a URL such as https://auth.example`);
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopbackNames.has(url.hostname))) {
    throw new RangeError(`"${text}" must start with https://`);
  }
  if (url.search !== '' || url.hash !== '' || text.includes('?') || text.includes('#')) {
    throw new RangeError(`"${text}" must have neither a query nor a fragment`);
  }
  if (url.username !== '' || url.password !== '') throw new RangeError('must not contain a user name or a password');
  if (!/^(?:\/[\w.~-]+)*\/?$/.test(url.pathname)) {
    throw new RangeError(
      `"${text}" may have only letters, digits, "-", ".", "_" and "~" between the slashes of its path`,
    );
  }
  const normal = withoutTrailingSlash(url.href);
  if (withoutTrailingSlash(text) !== normal) {
    throw new RangeError(`"${text}" must be written as clients compare it: ${normal}`);
  }
  return text;
}

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** A base URL ready for a path to be appended: `https://auth.example/` and `https://auth.example` are the same base. */
export function withoutTrailingSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}
