import type { ClientRequest } from '../authentication/authenticate-request.ts';
import type { HeaderFields } from '../http/header-fields.ts';
import type { ListenAddress } from '../http/listen-address.ts';
import { BodyTooLarge, type HttpRequest, IncompleteBody } from '../http/received-request.ts';
import { peerSocket } from '../http/unknown-methods.ts';
import { clientAuthorization } from '../oauth/client-authorization.ts';
import { type Form, foreignCharset, parseForm } from '../oauth/form.ts';
import { invalidRequest, type OAuthError } from '../oauth/oauth-error.ts';
import { peerCertificate } from '../terminator/peer-certificate.ts';
import type { Peer } from '../terminator/trusted-proxy.ts';
import { abbreviate } from '../text.ts';

/** What kind of socket the listener opened. A closed socket no longer has an address to derive it from. */
export type ListenerKind = ListenAddress['kind'];

/**
 * What authentication reads of a request.
 *
 * @param now milliseconds since the epoch
 */
export function clientRequest(request: HttpRequest, listensOn: ListenerKind, now: number): ClientRequest {
  return {
    headers: request.fields,
    peer: peerOf(request, listensOn, now),
    authorization: clientAuthorization(request.fields.combined('authorization')),
    readForm: () => readForm(request),
  };
}

/**
 * The peer of the connection, which is the proxy.
 *
 * @param now milliseconds since the epoch
 * @throws {OAuthError} invalid_request if the connection is already closed
 */
export function peerOf(request: Pick<HttpRequest, 'socket'>, listensOn: ListenerKind, now: number): Peer {
  if (listensOn === 'unix') return { kind: 'unix' };
  const socket = peerSocket(request.socket);
  const address = socket.remoteAddress;
  // The peer reset the connection before the server asked for its address.
  if (address === undefined) throw invalidRequest('connection_closed', 'The connection was closed.');
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
async function readForm(request: HttpRequest): Promise<Form> {
  const { method, url = '', fields } = request;
  if (method !== 'POST') {
    throw invalidRequest('method_not_allowed', 'The endpoint accepts only POST.', { headers: { allow: 'POST' } });
  }
  if (url.includes('?'))
    throw invalidRequest('query_not_allowed', 'Parameters belong in the request body, not in the URL.');
  const contentTypes = fields.all('content-type');
  if (contentTypes.length > 1) throw invalidRequest('content_type_repeated', 'Content-Type is repeated.');
  const charset = foreignCharset(contentTypes[0]);
  requireUnencodedBody(fields);
  if (Number(fields.combined('content-length') ?? 0) > MAX_BODY_BYTES) throw bodyTooLarge();
  try {
    const body = await request.readBody(MAX_BODY_BYTES);
    // The text keeps a byte order mark, which the form then rejects.
    return parseForm(body.toString('utf8'), charset);
  } catch (error) {
    if (error instanceof BodyTooLarge) throw bodyTooLarge();
    throw error instanceof IncompleteBody ? bodyIncomplete(error) : error;
  }
}

/** Rejects a header that gives the body another meaning than its bytes have (RFC 9110 §8.4, §14.4). */
function requireUnencodedBody(fields: HeaderFields): void {
  const encoding = fields.combined('content-encoding')?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    throw invalidRequest(
      'content_encoding_unsupported',
      'Content-Encoding is not supported: the request body must be sent as it is.',
      {
        reason: `Content-Encoding is ${JSON.stringify(abbreviate(encoding))}, which is not supported`,
        headers: { 'accept-encoding': 'identity' },
      },
    );
  }
  if (fields.combined('content-range') !== undefined)
    throw invalidRequest(
      'content_range_unsupported',
      'Content-Range is not supported: the request body must be sent as a whole.',
    );
}

function bodyIncomplete({ message, code }: IncompleteBody): OAuthError {
  return invalidRequest(code, 'The request body is incomplete.', {
    reason: `the request body is incomplete: ${message}`,
  });
}

function bodyTooLarge(): OAuthError {
  // The rest of the body is not read, so the connection cannot be reused.
  return invalidRequest('body_too_large', `The request body is larger than ${MAX_BODY_BYTES} bytes.`, {
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
