const UNRESERVED = String.raw`A-Za-z0-9\-._~`;
/** Of a registered name, and with more of a user name, a path and a query (RFC 3986 §3.2 to §3.4). */
const NAME = `${UNRESERVED}!$&'()*+,;=%`;
const SCHEME = String.raw`([A-Za-z][A-Za-z0-9+.\-]*):`;

/** A URI with a host. No part has a character that can end another, so a match takes linear time. */
const HIERARCHICAL = new RegExp(
  String.raw`^${SCHEME}//([${NAME}:]*@)?(\[[0-9A-Fa-f:.]+\]|[${NAME}]*)(?::([0-9]*))?(/[${NAME}:@/]*)?(\?[${NAME}:@/?]*)?$`,
);
const OTHER = new RegExp(`^${SCHEME}(?!//)`);
const isUnreserved = new RegExp(`^[${UNRESERVED}]$`);
const MALFORMED_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

/**
 * The one spelling of a URI that all equivalent spellings share (RFC 3986 §6.2.2, §6.2.3): scheme and host in lower case,
 * no default port, no percent-encoded unreserved character, no dot segment, and no path instead of `/`, which is how most
 * audiences are registered. Of a URI without `//`, such as a URN, only the scheme is compared without case. Text that is not a
 * URI, such as one with a backslash, is equivalent to itself alone.
 *
 * @param text of bounded length
 */
export function canonicalUri(text: string): string {
  const [, scheme = '', user = '', host = '', port = '', path = '', query = ''] = HIERARCHICAL.exec(text) ?? [];
  if (scheme === '' || MALFORMED_ESCAPE.test(text))
    return text.replace(OTHER, (_, other: string) => `${other.toLowerCase()}:`);
  const lower = scheme.toLowerCase();
  const origin = `${unescaped(user)}${lowerCase(unescaped(host))}${isDefault(port, lower) ? '' : `:${port}`}`;
  return `${lower}://${origin}${withoutDotSegments(unescaped(path))}${unescaped(query)}`;
}

/** Whether two audiences are the same URI, or the same text. */
export function areEquivalentUris(one: string, other: string): boolean {
  return one === other || canonicalUri(one) === canonicalUri(other);
}

function isDefault(port: string, scheme: string): boolean {
  return port === '' || port === defaultPorts[scheme];
}

/** Decodes what means the same without percent-encoding, and writes the rest in upper case (RFC 3986 §6.2.2). */
function unescaped(part: string): string {
  const [start = '', ...encoded] = part.split('%');
  return start + encoded.map((text) => unescapedBytes.get(text.slice(0, 2).toUpperCase()) + text.slice(2)).join('');
}

/** What stands for each byte, by its two hexadecimal digits. */
const unescapedBytes: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 256 }, (_, byte) => {
    const digits = byte.toString(16).toUpperCase().padStart(2, '0');
    const character = String.fromCharCode(byte);
    return [digits, isUnreserved.test(character) ? character : `%${digits}`] as const;
  }),
);

/** Percent-encodings stay in upper case. */
function lowerCase(host: string): string {
  return host.replace(/%..|[A-Z]/g, (part) => (part.startsWith('%') ? part : part.toLowerCase()));
}

/** RFC 3986 §5.2.4, of a path that is empty or starts with a slash. */
function withoutDotSegments(path: string): string {
  if (path === '' || path === '/') return '';
  if (!path.includes('/.')) return path;
  const output: string[] = [];
  const [, ...segments] = path.split('/');
  for (const [index, segment] of segments.entries()) {
    const isDots = segment === '.' || segment === '..';
    if (segment === '..') output.pop();
    if (!isDots) output.push(segment);
    else if (index === segments.length - 1) output.push('');
  }
  return output.length === 1 && output[0] === '' ? '' : `/${output.join('/')}`;
}
