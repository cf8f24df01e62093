import type { HttpResponse } from './http-response.ts';

/** The `jti` of everything that looks like a JWT in the headers and body of a response with any status. */
export function tokenIdsIn({ headerLines, body }: HttpResponse): unknown[] {
  return tokenIdsInText([...headerLines, body].join('\n'));
}

/** The `jti` of everything that looks like a JWT in this text, which may be several responses. */
export function tokenIdsInText(text: string): unknown[] {
  return [...text.matchAll(/[\w-]+\.([\w-]{20,})\.[\w-]{20,}/g)].map(([, payload = '']) => readId(payload));
}

function readId(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString()).jti;
  } catch {
    return `not a JWT: ${payload}`;
  }
}
