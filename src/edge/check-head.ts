import type { ReceivedRequest } from '../http/received-request.ts';
import { hostViolation, type RequestHead, versionViolation } from '../http/request-head.ts';
import { hasUnknownMethod } from '../http/unknown-methods.ts';

/**
 * Validates what must hold of the head of every request, and no more: the rest of it is the client's. A check that
 * announces a body is the last one on its connection, since proxies may copy the fields that announce one and send none.
 */
export function parseCheckHead(request: ReceivedRequest): RequestHead {
  const violation = versionViolation(request) ?? hostViolation(request);
  if (violation) return violation;
  const isLast = announcesBody(request) || request.fields.all('upgrade').length > 0 || hasUnknownMethod(request);
  const framing = isLast ? 'unreliable' : 'reliable';
  return { kind: 'well-formed', target: withoutOrigin(request.url ?? ''), framing };
}

/** Whether a request announces a body, or waits before it sends one. */
export function announcesBody({ fields }: Pick<ReceivedRequest, 'fields'>): boolean {
  const length = fields.combined('content-length');
  if (length !== undefined && length !== '0') return true;
  return fields.all('transfer-encoding').length > 0 || fields.all('expect').length > 0;
}

const ORIGIN = /^https?:\/\/[^/?#]{1,300}/i;

/** A server must also accept the absolute-form (RFC 9112 §3.2.2); only its path is used. */
function withoutOrigin(target: string): string {
  return target.startsWith('/') ? target : target.replace(ORIGIN, '');
}
