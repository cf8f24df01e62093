import { type CodeOfError, type InvalidClientCode, reasonOf, reasons } from '../reasons/reasons.ts';

/**
 * The error codes of our responses, each with its usual HTTP status.
 * RFC 6749 §5.2, RFC 8707 §2; `temporarily_unavailable` and `server_error` by analogy with RFC 6749 §4.1.2.1.
 */
export const errorStatus = {
  invalid_request: 400,
  invalid_client: 400,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  server_error: 500,
  temporarily_unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

/** The HTTP status of each code at one endpoint. */
export type ErrorStatusTable = Readonly<Record<ErrorCode, number>>;

/** Where a client asks about a token, failed authentication is 401 (RFC 7662 §2.3), also without `Authorization`. */
export const tokenStateErrorStatus: ErrorStatusTable = { ...errorStatus, invalid_client: 401 };

/** The reasons that have an OAuth error. */
type OAuthReasonCode = CodeOfError<ErrorCode>;

export interface OAuthErrorDetails {
  /** For the caller: a constant text that never states which check failed. */
  readonly description: string;
  /** For the operator, in the audit event: exactly what was rejected and why. */
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A rejected request. Anything else that is thrown while a request is processed becomes `server_error`. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  /** For the operator. */
  readonly code: OAuthReasonCode;
  /** For the caller; it follows from the code. */
  readonly error: ErrorCode;
  readonly description: string;
  readonly reason: string;
  /** A more exact HTTP status than that of the error; if undefined, the endpoint's table decides. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: OAuthReasonCode, { description, reason, headers = {} }: OAuthErrorDetails) {
    super(reason);
    this.code = code;
    this.error = reasons[code].error;
    this.description = description;
    this.reason = reason;
    this.status = reasonOf(code).status;
    this.headers = headers;
  }
}

/** The same response to an unknown client, a wrong certificate and a missing one. */
export function invalidClient(code: InvalidClientCode, reason: string): OAuthError {
  return new OAuthError(code, { description: 'Client authentication failed.', reason });
}

/** Whether the client could not be authenticated. The code is then one of these, since the error follows from it. */
export function isInvalidClient(error: unknown): error is OAuthError & { readonly code: InvalidClientCode } {
  return error instanceof OAuthError && error.error === 'invalid_client';
}

/** A request that is wrong in itself, no matter who sent it. The description may therefore state what is wrong. */
export function invalidRequest(
  code: CodeOfError<'invalid_request'>,
  description: string,
  more: Partial<OAuthErrorDetails> = {},
): OAuthError {
  return new OAuthError(code, { description, reason: description, ...more });
}

/** The server cannot decide at the moment, no matter who asks. */
export function temporarilyUnavailable(
  code: CodeOfError<'temporarily_unavailable'>,
  reason: string,
  retryAfterSeconds: number,
): OAuthError {
  return new OAuthError(code, {
    description: 'The server cannot answer at the moment; try again.',
    reason,
    headers: { 'retry-after': String(retryAfterSeconds) },
  });
}
