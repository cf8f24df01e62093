import { isIP } from 'node:net';
import type { HeaderFields } from '../http/header-fields.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import { readTraceContext } from '../observability/tracing/trace-context.ts';
import { newUuid } from '../uuid.ts';
import type { ForwardedRequest } from './forwarded-certificate.ts';
import { type ProxyTrust, untrustedReason } from './trusted-proxy.ts';

/** What identifies a request in the logs of the proxy, of this server and of the client. */
export type RequestContext = Pick<AuditEntry, 'peer' | 'request_id' | 'client_address' | 'trace_id'>;

export type ContextReader = (request: ForwardedRequest) => RequestContext;

/**
 * Reads the context of a request. The id and the address of the client are those that the trusted proxy states. From any
 * other peer, anyone could choose them: it is the client itself, and the id is a new one.
 */
export function readRequestContext({ headers, peer }: ForwardedRequest, trust: ProxyTrust): RequestContext {
  const peerAddress = peer.kind === 'unix' ? 'unix' : peer.address;
  const isProxy = untrustedReason(peer, headers, trust) === undefined;
  return {
    peer: peerAddress,
    request_id: (isProxy ? forwardedId(headers) : undefined) ?? newUuid(),
    client_address: isProxy ? forwardedAddress(headers) : peerAddress,
    trace_id: readTraceContext(headers)?.traceId,
  };
}

const MAX_ID_LENGTH = 128;

function forwardedId(headers: HeaderFields): string | undefined {
  const ids = headers.all('x-request-id');
  const [id] = ids;
  if (id === undefined || ids.length > 1 || id.length > MAX_ID_LENGTH) return undefined;
  return /^[\x21-\x7e]+$/.test(id) ? id : undefined;
}

/** An IPv6 address with a zone and a port is shorter. */
const MAX_ADDRESS_LENGTH = 100;

/** The last element of X-Forwarded-For, which the proxy appended: the client can have sent those before it. */
function forwardedAddress(headers: HeaderFields): string | undefined {
  const last = headers.all('x-forwarded-for').at(-1);
  if (last === undefined) return undefined;
  const element = last.slice(last.lastIndexOf(',') + 1).trim();
  if (element.length > MAX_ADDRESS_LENGTH) return undefined;
  const address = isIP(element) === 0 ? withoutPort(element) : element;
  return isIP(address) === 0 ? undefined : address;
}

/** Of `192.0.2.7:443`, `[2001:db8::7]:443` and `[2001:db8::7]`. */
function withoutPort(text: string): string {
  const [, ipv6, ipv4] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(text) ?? [];
  return ipv6 ?? ipv4 ?? '';
}
