import type { HttpReasonCode } from '../reasons/reasons.ts';
import type { HeaderFields } from './header-fields.ts';
import type { ReceivedRequest } from './received-request.ts';

/** Why the request head is malformed, or what the application and the connection need to know of it. */
export type RequestHead =
  | {
      readonly kind: 'well-formed';
      /** The application's `url`. */
      readonly target: string;
      /** `unreliable`: where the next request starts on this connection is uncertain, so it must close. */
      readonly framing: 'reliable' | 'unreliable';
    }
  | MalformedHead;

interface MalformedHead {
  readonly kind: 'malformed';
  readonly code: HttpReasonCode;
  readonly reason: string;
}

/** Validates the parts of a request head that Node's parser does not check (RFC 9112 §2.3, §3.2, §6.1). */
export function parseRequestHead(request: ReceivedRequest): RequestHead {
  const { fields, httpVersion, url = '' } = request;
  const versionError = versionViolation(request);
  if (versionError) return versionError;
  const codings = elements(fields, 'transfer-encoding');
  if (codings.some((coding) => coding !== 'chunked')) {
    const reason = `Transfer-Encoding is ${quote(codings.join(', '))}, and only chunked is supported`;
    // Without chunked at the end, the end of the body is unknown (RFC 9112 §6.3).
    const code = codings.at(-1) === 'chunked' ? 'transfer_encoding_unsupported' : 'transfer_encoding_invalid';
    return malformed(code, reason);
  }
  const hostError = hostViolation(request);
  if (hostError) return hostError;
  // HTTP/1.0 has no expectations (RFC 9110 §10.1.1).
  const expectations = httpVersion === '1.0' ? [] : elements(fields, 'expect');
  if (expectations.some((expectation) => expectation !== '100-continue'))
    return malformed('expectation_unsupported', `Expect is ${quote(expectations.join(', '))}, and not 100-continue`);
  const target = originForm(url);
  if (target === undefined) return malformed('target_invalid', `the request target ${quote(url)} is not a path`);
  // Node's parser drops the bytes that follow a request with Upgrade. A Transfer-Encoding in HTTP/1.0 makes the framing
  // unreliable (RFC 9112 §6.1).
  const isUnreliable = fields.all('upgrade').length > 0 || (codings.length > 0 && httpVersion === '1.0');
  return { kind: 'well-formed', target, framing: isUnreliable ? 'unreliable' : 'reliable' };
}

/** Node's parser also accepts 0.9 and 2.0. */
export function versionViolation({ httpVersion }: ReceivedRequest): MalformedHead | undefined {
  if (httpVersion === '1.1' || httpVersion === '1.0') return undefined;
  return malformed('http_version_unsupported', `HTTP/${httpVersion} is not supported, only HTTP/1.1 and HTTP/1.0`);
}

/** Only an HTTP/1.0 request may omit Host (RFC 9112 §3.2). */
export function hostViolation({ fields, httpVersion }: ReceivedRequest): MalformedHead | undefined {
  const hosts = fields.all('host');
  if (hosts.length !== 1 && (hosts.length > 1 || httpVersion !== '1.0')) {
    return malformed('host_invalid', `Host appears ${hosts.length} times`);
  }
  const invalid = hosts.find((host) => !isHostAndPort(host));
  if (invalid === undefined) return undefined;
  return malformed('host_invalid', `Host is ${quote(invalid)}, which is not a valid host`);
}

function malformed(code: HttpReasonCode, reason: string): MalformedHead {
  return { kind: 'malformed', code, reason };
}

/** The elements of a list in lower case. It may have empty ones (RFC 9110 §5.6.1). */
function elements(fields: HeaderFields, name: string): string[] {
  const list = fields.combined(name);
  if (list === undefined) return [];
  return list
    .split(',')
    .map((element) => element.trim().toLowerCase())
    .filter((element) => element !== '');
}

/** A server must also accept the absolute-form (RFC 9112 §3.2.2); only its path is used. */
function originForm(url: string): string | undefined {
  if (url.startsWith('/')) return url.includes('\\') ? undefined : url;
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
