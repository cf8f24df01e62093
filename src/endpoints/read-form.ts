import { type Form, parseForm, requireFormContentType } from '../oauth/form.ts';
import { invalidRequest, OAuthError } from '../oauth/oauth-error.ts';
import type { EndpointContext } from './request-context.ts';

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
