import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { ListenAddress } from '../http/listen-address.ts';
import { shownCertificate } from '../terminator/peer-certificate.ts';
import type { Peer } from '../terminator/trusted-proxy.ts';

/** What Hono hands to an endpoint, with Node's own request behind it: only there are repeated headers still apart. */
export type EndpointContext = Context<{ Bindings: HttpBindings }>;

/** What kind of socket we opened: a closed one has no address, and so cannot tell a Unix socket from another. */
export type ListenerKind = ListenAddress['kind'];

/**
 * Who is at the other end.
 *
 * @param now milliseconds since the epoch
 */
export function peerOf(c: EndpointContext, listensOn: ListenerKind, now: number): Peer {
  if (listensOn === 'unix') return { kind: 'unix' };
  const { socket } = c.env.incoming;
  const address = socket.remoteAddress ?? 'unknown';
  if (listensOn === 'tcp') return { kind: 'address', address };
  return { kind: 'tls', address, certificate: shownCertificate(socket), now };
}
