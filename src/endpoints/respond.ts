import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorStatusTable, errorStatus, OAuthError } from '../oauth/oauth-error.ts';
import type { Audit, AuditEntry } from '../observability/audit.ts';
import type { EndpointContext } from './request.ts';

const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/** A JSON response that must not be cached (RFC 6749 §5.1). */
export function respond(c: EndpointContext, body: object): Response {
  return c.json(body, 200, noStore);
}

/**
 * The one place that renders an error (RFC 6749 §5.2). Its private reason never reaches the caller.
 *
 * @param status the HTTP status of each code at this endpoint
 */
export function respondWithError(
  c: EndpointContext,
  error: OAuthError,
  status: ErrorStatusTable = errorStatus,
): Response {
  const challenge = mustChallenge(c, error);
  const body = { error: error.code, error_description: error.description };
  const headers = {
    ...noStore,
    ...error.headers,
    ...(challenge && { 'www-authenticate': 'Basic realm="countersign"' }),
  };
  return c.json(body, (challenge ? 401 : (error.status ?? status[error.code])) as ContentfulStatusCode, headers);
}

/** RFC 6749 §5.2: a client that used the `Authorization` header gets 401 and a challenge. */
function mustChallenge(c: EndpointContext, { code }: OAuthError): boolean {
  return code === 'invalid_client' && c.req.header('authorization') !== undefined;
}

/**
 * Runs the steps of an endpoint. Whatever happens in them, the request ends with exactly one audit event and one
 * response. The steps add what they learn to the audit entry.
 *
 * @param status the HTTP status of each error code at this endpoint
 */
export function audited(
  audit: Audit,
  status: ErrorStatusTable,
  steps: (c: EndpointContext, entry: AuditEntry) => Promise<Response>,
): (c: EndpointContext) => Promise<Response> {
  return async (c) => {
    const entry: AuditEntry = {};
    const start = performance.now();
    try {
      const response = await steps(c, entry);
      audit.granted(entry, performance.now() - start);
      return response;
    } catch (thrown) {
      const error = thrown instanceof OAuthError ? thrown : unexpected();
      const response = respondWithError(c, error, status);
      Object.assign(entry, { error: error.code, status: response.status, reason: reasonOf(thrown) });
      const duration = performance.now() - start;
      if (error.code === 'server_error') audit.failed(entry, duration, thrown);
      else audit.rejected(entry, duration);
      return response;
    }
  };
}

function unexpected(): OAuthError {
  return new OAuthError('server_error', {
    description: 'The server met an unexpected condition.',
    reason: 'an internal error',
  });
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof OAuthError) return thrown.reason;
  return thrown instanceof Error ? `unexpected: ${thrown.message}` : 'unexpected: not an Error was thrown';
}
