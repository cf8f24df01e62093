import { createHash } from 'node:crypto';
import { invalidRequest } from '../oauth/oauth-error.ts';
import { answerError } from './answer.ts';
import type { EndpointContext } from './request-context.ts';

const MAX_AGE_SECONDS = 300;

/**
 * Serves a document that everybody may read and caches may keep. It is rendered once; a reader that still has it is
 * told so (RFC 9110 §13.1.2).
 */
export function publishedDocument(document: object, contentType: string): (c: EndpointContext) => Response {
  const body = JSON.stringify(document);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  const headers = { etag, 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` };
  return (c) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') return answerError(c, readOnly());
    if (stillHas(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers);
    return c.body(body, 200, { ...headers, 'content-type': contentType });
  };
}

function readOnly() {
  return invalidRequest('This document is only read.', { status: 405, headers: { allow: 'GET, HEAD' } });
}

function stillHas(ifNoneMatch: string | undefined, etag: string): boolean {
  const candidates = (ifNoneMatch ?? '').split(',').map((candidate) => candidate.trim().replace(/^W\//, ''));
  return candidates.includes(etag) || candidates.includes('*');
}
