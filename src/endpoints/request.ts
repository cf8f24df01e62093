import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { ClientRequest } from '../authentication/authenticate-request.ts';
import type { ListenAddress } from '../http/listen-address.ts';
import { IncompleteBody } from '../http/malformed-requests.ts';
import { type Form, foreignCharset, parseForm } from '../oauth/form.ts';
import { invalidRequest, OAuthError } from '../oauth/oauth-error.ts';
import { peerCertificate } from '../terminator/peer-certificate.ts';
import { valuesOf } from '../terminator/raw-headers.ts';
import type { Peer } from '../terminator/trusted-proxy.ts';
import { abbreviate } from '../text.ts';

/** Hono's context, with Node's own request: only there are repeated headers still separate. */
export type EndpointContext = Context<{ Bindings: HttpBindings }>;

/** What kind of socket the listener opened. A closed socket no longer has an address to derive it from. */
export type ListenerKind = ListenAddress['kind'];

/**
 * What authentication reads of a request.
 *
 * @param now milliseconds since the epoch
 */
export function clientRequest(c: EndpointContext, listensOn: ListenerKind, now: number): ClientRequest {
  return {
    headers: c.env.incoming.rawHeaders,
    peer: peerOf(c, listensOn, now),
    authorization: c.req.header('authorization'),
    readForm: () => readForm(c),
  };
}

/** @throws {OAuthError} invalid_request if the connection is already closed */
function peerOf(c: EndpointContext, listensOn: ListenerKind, now: number): Peer {
  if (listensOn === 'unix') return { kind: 'unix' };
  const { socket } = c.env.incoming;
  const address = socket.remoteAddress;
  // The peer reset the connection before the server asked for its address.
  if (address === undefined) throw invalidRequest('The connection was closed.');
  if (listensOn === 'tcp') return { kind: 'address', address };
  return { kind: 'tls', address, certificate: peerCertificate(socket), now };
}

/** The shipped proxy configurations have the same limit. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Reads the parameters of a POST (RFC 6749 §3.2) from the body alone: a form of bounded size.
 *
 * @throws {OAuthError} invalid_request, also as 405 and 413
 */
async function readForm(c: EndpointContext): Promise<Form> {
  if (c.req.method !== 'POST') {
    throw invalidRequest('The endpoint accepts only POST.', { status: 405, headers: { allow: 'POST' } });
  }
  if (c.req.url.includes('?')) throw invalidRequest('Parameters belong in the request body, not in the URL.');
  const [contentType, ...repeated] = valuesOf(c.env.incoming.rawHeaders, 'content-type');
  if (repeated.length > 0) throw invalidRequest('Content-Type is repeated.');
  const charset = foreignCharset(contentType);
  requireUnencodedBody(c);
  return parseForm(await readBody(c), charset);
}

/** Rejects a header that gives the body another meaning than its bytes have (RFC 9110 §8.4, §14.4). */
function requireUnencodedBody(c: EndpointContext): void {
  const encoding = c.req.header('content-encoding')?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    throw invalidRequest('Content-Encoding is not supported: the request body must be sent as it is.', {
      reason: `Content-Encoding is ${JSON.stringify(abbreviate(encoding))}, which is not supported`,
      status: 415,
      headers: { 'accept-encoding': 'identity' },
    });
  }
  if (c.req.header('content-range') !== undefined)
    throw invalidRequest('Content-Range is not supported: the request body must be sent as a whole.');
}

async function readBody(c: EndpointContext): Promise<string> {
  const declared = c.req.header('content-length');
  if (declared !== undefined && Number(declared) > MAX_BODY_BYTES) throw bodyTooLarge();
  try {
    return await (declared === undefined ? readChunks(c.env.incoming) : readWhole(c));
  } catch (error) {
    const { destroyed, errored } = c.env.incoming;
    if (error instanceof OAuthError || !destroyed) throw error;
    throw invalidRequest('The request body is incomplete.', {
      reason: `the request body is incomplete: ${errored instanceof IncompleteBody ? errored.message : 'the connection was closed'}`,
      ...(errored instanceof IncompleteBody && { status: errored.status }),
    });
  }
}

/** Not as `text()`, which removes a byte order mark: the same bytes must mean the same with either framing. */
async function readWhole(c: EndpointContext): Promise<string> {
  return Buffer.from(await c.req.arrayBuffer()).toString('utf8');
}

async function readChunks(incoming: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw bodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function bodyTooLarge() {
  // The rest of the body is not read, so the connection cannot be reused.
  return invalidRequest(`The request body is larger than ${MAX_BODY_BYTES} bytes.`, {
    status: 413,
    headers: { connection: 'close' },
  });
}

/**
 * The path of a request target, byte for byte as it was sent: nothing is decoded and no dot segment resolved. A
 * proxy's rule for `/token` matches that spelling alone, so no other spelling may lead there.
 *
 * @param target Node's `incoming.url`
 */
export function requestPath(target: string = ''): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
