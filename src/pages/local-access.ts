import type { HttpRequest } from '../http/received-request.ts';
import { peerSocket } from '../http/unknown-methods.ts';
import { isLoopback } from '../terminator/trusted-addresses.ts';

/**
 * Why what is for the operators of this machine must not be served to a request; undefined if it may. The peer must be on
 * this machine, as it is behind `kubectl port-forward`. A browser there must have been sent to this very address: the name
 * of another site may resolve to it (DNS rebinding), and its scripts could then read the page. A proxy would make requests
 * from anywhere look local.
 */
export function remoteAccess({ socket, fields }: Pick<HttpRequest, 'socket' | 'fields'>): string | undefined {
  const { remoteAddress } = peerSocket(socket);
  // A Unix socket has no address; its permissions limit who can connect.
  if (remoteAddress !== undefined && !isLoopback(remoteAddress)) return 'the connection is not from this machine';
  const host = fields.combined('host') ?? '';
  if (!isLoopback(host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')))
    return 'Host is not localhost or a loopback address';
  const forwarding = FORWARDING_FIELDS.find((name) => fields.all(name).length > 0);
  return forwarding && `the request was forwarded by a proxy (it has ${forwarding})`;
}

/** What proxies add to requests. None of them is a browser's. */
const FORWARDING_FIELDS = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
];
