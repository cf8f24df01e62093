import type { IncomingMessage } from 'node:http';

/** A request target in origin-form (it starts with `/`), or the reason why the request head is malformed. */
export type RequestHead =
  | { readonly kind: 'well-formed'; readonly target: string }
  | { readonly kind: 'malformed'; readonly code: 'INVALID_HOST' | 'INVALID_TARGET'; readonly reason: string };

/** Validates the parts of Host and of the request target that Node's parser does not check (RFC 9112 §3.2). */
export function parseRequestHead({ rawHeaders, httpVersion, url = '' }: IncomingMessage): RequestHead {
  const hosts = hostValues(rawHeaders);
  // Only an HTTP/1.0 request may omit Host.
  if (hosts.length !== 1 && (hosts.length > 1 || httpVersion !== '1.0')) {
    return malformed('INVALID_HOST', `Host appears ${hosts.length} times`);
  }
  const invalid = hosts.find((host) => !isHostAndPort(host));
  if (invalid !== undefined) return malformed('INVALID_HOST', `Host is ${quote(invalid)}, which is not a valid host`);
  const target = originForm(url);
  if (target === undefined) return malformed('INVALID_TARGET', `the request target ${quote(url)} is not a path`);
  return { kind: 'well-formed', target };
}

function malformed(code: 'INVALID_HOST' | 'INVALID_TARGET', reason: string): RequestHead {
  return { kind: 'malformed', code, reason };
}

function hostValues(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host');
}

/** A server must also accept the absolute-form (RFC 9112 §3.2.2); only its path is used. */
function originForm(url: string): string | undefined {
  const [, host = '', rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? ['', 'none', url];
  const target = rest.startsWith('?') || rest === '' ? `/${rest}` : rest;
  const isPath = target.startsWith('/') && !target.includes('\\');
  return isPath && host !== '' && isHostAndPort(host) ? target : undefined;
}

const MAX_HOST_LENGTH = 300;
const HOST_AND_PORT = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::(\d{0,5}))?$/;

/** Whether the text is a host, possibly empty, with an optional port (RFC 3986 §3.2.2 and §3.2.3). */
function isHostAndPort(text: string): boolean {
  const match = text.length > MAX_HOST_LENGTH ? null : HOST_AND_PORT.exec(text);
  return match !== null && Number(match[1] ?? 0) <= 65_535;
}

const MAX_QUOTED_LENGTH = 120;

function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text);
}
