import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Peer } from '../terminator/hop.ts';

/** What Hono hands to an endpoint, with Node's own request behind it: only there are repeated headers still apart. */
export type EndpointContext = Context<{ Bindings: HttpBindings }>;

/** Who is at the other end. `listensOn` says what kind of socket we opened: a closed one has no address either. */
export function peerOf(c: EndpointContext, listensOn: 'unix' | 'tcp'): Peer {
  if (listensOn === 'unix') return { kind: 'unix' };
  return { kind: 'address', address: c.env.incoming.socket.remoteAddress ?? 'unknown' };
}
