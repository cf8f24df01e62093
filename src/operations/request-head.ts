import type { IncomingMessage } from 'node:http';
import type { UnreadableRequest } from './unreadable-request.ts';

/** The target of a request in origin-form, which begins with `/`; or why the head is none that we read. */
export type RequestHead =
  | { readonly kind: 'readable'; readonly target: string }
  | ({ readonly kind: 'unreadable' } & UnreadableRequest);

/** Checks what Node's parser lets pass of the request target and of Host (RFC 9112 §3.2). */
export function readRequestHead({ rawHeaders, httpVersion, url = '' }: IncomingMessage): RequestHead {
  const hosts = valuesOfHost(rawHeaders);
  // Only HTTP/1.0 does without.
  if (hosts.length !== 1 && (hosts.length > 1 || httpVersion !== '1.0')) {
    return unreadable('INVALID_HOST', `Host came ${hosts.length} times`);
  }
  const wrong = hosts.find((host) => !isAuthority(host));
  if (wrong !== undefined) return unreadable('INVALID_HOST', `Host holds ${shown(wrong)}, which is not a host`);
  const target = originForm(url);
  if (target === undefined) return unreadable('INVALID_TARGET', `the request target ${shown(url)} is not a path`);
  return { kind: 'readable', target };
}

function valuesOfHost(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host');
}

/** A server must also take the absolute-form (RFC 9112 §3.2.2), of which only the path tells us anything. */
function originForm(url: string): string | undefined {
  const [, authority = '', rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? ['', 'none', url];
  const target = rest.startsWith('?') || rest === '' ? `/${rest}` : rest;
  const isPath = target.startsWith('/') && !target.includes('\\');
  return isPath && authority !== '' && isAuthority(authority) ? target : undefined;
}

const MAX_AUTHORITY = 300;
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::(\d{0,5}))?$/;

/** RFC 3986 §3.2.2 and §3.2.3: a host, which may be empty, and a port. */
function isAuthority(text: string): boolean {
  const match = text.length > MAX_AUTHORITY ? null : AUTHORITY.exec(text);
  return match !== null && Number(match[1] ?? 0) <= 65_535;
}

const MAX_SHOWN = 120;

function shown(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

function unreadable(code: string, reason: string): RequestHead {
  return { kind: 'unreadable', code, reason };
}
