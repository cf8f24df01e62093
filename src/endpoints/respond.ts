import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { OAuthError } from '../oauth/oauth-error.ts';
import type { Audit, AuditEntry } from '../observability/audit.ts';
import type { EndpointContext } from './request.ts';

const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/** Answers with JSON that no cache may keep (RFC 6749 §5.1). */
export function respond(c: EndpointContext, body: object): Response {
  return c.json(body, 200, noStore);
}

/** The one place that renders an error (RFC 6749 §5.2). Nothing of its reason reaches the caller. */
export function respondWithError(c: EndpointContext, error: OAuthError): Response {
  const challenge = mustChallenge(c, error);
  const body = { error: error.code, error_description: error.description };
  const headers = {
    ...noStore,
    ...error.headers,
    ...(challenge && { 'www-authenticate': 'Basic realm="countersign"' }),
  };
  return c.json(body, (challenge ? 401 : error.status) as ContentfulStatusCode, headers);
}

/** A client that tried the `Authorization` header is told by status and challenge; any other gets 400. */
function mustChallenge(c: EndpointContext, { code }: OAuthError): boolean {
  return code === 'invalid_client' && c.req.header('authorization') !== undefined;
}

/**
 * Runs the steps of an endpoint, and ends with exactly one audit event and one answer, whatever happens in them.
 * The steps write down in the trail what they learn.
 */
export function audited(
  audit: Audit,
  steps: (c: EndpointContext, trail: AuditEntry) => Promise<Response>,
): (c: EndpointContext) => Promise<Response> {
  return async (c) => {
    const trail: AuditEntry = {};
    const start = performance.now();
    try {
      const response = await steps(c, trail);
      audit.granted('token_issued', trail, performance.now() - start);
      return response;
    } catch (thrown) {
      const error = thrown instanceof OAuthError ? thrown : unexpected();
      const response = respondWithError(c, error);
      Object.assign(trail, { error: error.code, status: response.status, reason: reasonOf(thrown) });
      const duration = performance.now() - start;
      if (error.code === 'server_error') audit.failed('token_rejected', trail, duration, thrown);
      else audit.rejected('token_rejected', trail, duration);
      return response;
    }
  };
}

function unexpected(): OAuthError {
  return new OAuthError('server_error', {
    description: 'The server met an unexpected condition.',
    reason: 'a fault of ours',
  });
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof OAuthError) return thrown.reason;
  return thrown instanceof Error ? `unexpected: ${thrown.message}` : 'unexpected: not an Error was thrown';
}
