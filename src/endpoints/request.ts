import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { ListenAddress } from '../http/listen-address.ts';
import { type Form, parseForm, requireFormContentType } from '../oauth/form.ts';
import { invalidRequest, OAuthError } from '../oauth/oauth-error.ts';
import { peerCertificate } from '../terminator/peer-certificate.ts';
import type { Peer } from '../terminator/trusted-proxy.ts';

/** The shipped proxy configurations allow the same. */
export const MAX_BODY_OCTETS = 64 * 1024;

/**
 * Reads the parameters of a POST (RFC 6749 §3.2): from the body alone, which is a form of bounded size.
 *
 * @throws {OAuthError} invalid_request, also as 405 and 413
 */
export async function readForm(c: EndpointContext): Promise<Form> {
  if (c.req.method !== 'POST') {
    throw invalidRequest('The token endpoint is used with POST.', { status: 405, headers: { allow: 'POST' } });
  }
  if (c.req.url.includes('?')) throw invalidRequest('Parameters belong in the request body, not in the URL.');
  requireFormContentType(c.req.header('content-type'));
  return parseForm(await readBody(c));
}

async function readBody(c: EndpointContext): Promise<string> {
  const declared = c.req.header('content-length');
  if (declared !== undefined && Number(declared) > MAX_BODY_OCTETS) throw bodyTooLarge();
  try {
    return await (declared === undefined ? readChunks(c.env.incoming) : c.req.text());
  } catch (error) {
    if (error instanceof OAuthError || !c.env.incoming.destroyed) throw error;
    throw invalidRequest('The request body did not arrive whole.', { reason: 'the sender went away mid-body' });
  }
}

async function readChunks(incoming: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of incoming) {
    octets += chunk.length;
    if (octets > MAX_BODY_OCTETS) throw bodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function bodyTooLarge() {
  // The rest of the body is not read, so the connection cannot be used again.
  return invalidRequest(`The request body is larger than ${MAX_BODY_OCTETS} octets.`, {
    status: 413,
    headers: { connection: 'close' },
  });
}

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
  return { kind: 'tls', address, certificate: peerCertificate(socket), now };
}

/**
 * The path of a request target, octet by octet as it was sent: nothing is decoded and no dot segment resolved. A rule
 * that a proxy has for `/token` sees that spelling alone, so no other one may lead there.
 *
 * @param target Node's `incoming.url`
 */
export function requestPath(target: string = ''): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
