import type { HttpRequest } from '../http/received-request.ts';
import { clientAuthorization } from '../oauth/client-authorization.ts';
import { type ErrorStatusTable, errorStatus, OAuthError, temporarilyUnavailable } from '../oauth/oauth-error.ts';
import type { Audit, Written } from '../observability/audit.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import type { RequestTrace, TracedOutcome } from '../observability/tracing/trace.ts';
import { tracedOutcome } from '../observability/tracing/traced-outcome.ts';

/** RFC 6749 §5.1: of every response that has a token or is about one. */
export const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

const jsonHeaders = { 'content-type': 'application/json', ...noStore } as const;

/** Responds to a request. */
export type Endpoint = (request: HttpRequest) => Response | Promise<Response>;

/** A JSON response that must not be cached (RFC 6749 §5.1). */
export function respond(body: object): Response {
  // Not Hono's `c.json()`: it copies more than one header into a `Headers` object, from which the adapter copies them back.
  return new Response(JSON.stringify(body), { status: 200, headers: jsonHeaders });
}

/**
 * The one place that renders an error (RFC 6749 §5.2). Its private reason never reaches the caller.
 *
 * @param table the HTTP status of each code at this endpoint
 */
export function respondWithError(
  request: HttpRequest,
  error: OAuthError,
  table: ErrorStatusTable = errorStatus,
): Response {
  const status = usedAuthorization(request, error) ? 401 : (error.status ?? table[error.error]);
  const headers = {
    ...jsonHeaders,
    ...error.headers,
    // RFC 9110 §15.5.2 requires a challenge. No registered scheme stands for a client certificate.
    ...(status === 401 && { 'www-authenticate': 'Basic realm="countersign"' }),
  };
  return new Response(JSON.stringify({ error: error.error, error_description: error.description }), {
    status,
    headers,
  });
}

/** RFC 6749 §5.2: a client that tried to authenticate with the `Authorization` header gets 401. */
function usedAuthorization({ fields }: HttpRequest, { error }: OAuthError): boolean {
  return error === 'invalid_client' && clientAuthorization(fields.combined('authorization')) !== undefined;
}

/**
 * Runs the steps of an endpoint. Whatever happens in them, the request ends with exactly one audit event and one
 * response. The steps add what they learn to the audit entry. The response waits until the event has been written, so
 * that no client learns a decision that the audit log does not contain.
 *
 * @param status the HTTP status of each error code at this endpoint
 */
export function audited(
  audit: Audit,
  status: ErrorStatusTable,
  steps: (request: HttpRequest, entry: AuditEntry, trace: RequestTrace) => Promise<Response>,
): Endpoint {
  const decide = async (request: HttpRequest, trace: RequestTrace): Promise<Decision> => {
    const entry = audit.begin();
    const start = performance.now();
    try {
      const response = await steps(request, entry, trace);
      const outcome = tracedOutcome(entry, trace, response.status);
      return { response, outcome, written: audit.granted(entry, performance.now() - start) };
    } catch (thrown) {
      const error = thrown instanceof OAuthError ? thrown : unexpected();
      const response = respondWithError(request, error, status);
      Object.assign(entry, { code: error.code, error: error.error, status: response.status, reason: reasonOf(thrown) });
      const outcome = tracedOutcome(entry, trace, response.status);
      const duration = performance.now() - start;
      const isFailure = error.error === 'server_error';
      const written = isFailure ? audit.failed(entry, duration, thrown) : audit.rejected(entry, duration);
      return { response, outcome, written };
    }
  };
  return async (request) => {
    const trace = audit.startTrace(request.fields);
    const { response, outcome, written } = await decide(request, trace);
    if (await written) {
      trace.end(outcome);
      return response;
    }
    const withheld = respondWithError(request, unaudited(), status);
    trace.end({ ...outcome, status: withheld.status, code: 'audit_unwritable' });
    return withheld;
  };
}

interface Decision {
  readonly response: Response;
  readonly outcome: TracedOutcome;
  readonly written: Written;
}

/** The one response without an audit event. The log output reports on standard error why there is none. */
function unaudited(): OAuthError {
  return temporarilyUnavailable('audit_unwritable', 'the log cannot be written', 1);
}

function unexpected(): OAuthError {
  return new OAuthError('internal_error', {
    description: 'The server met an unexpected condition.',
    reason: 'an internal error',
  });
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof OAuthError) return thrown.reason;
  return thrown instanceof Error ? `unexpected: ${thrown.message}` : 'unexpected: not an Error was thrown';
}
