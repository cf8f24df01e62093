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

export interface OAuthErrorDetails {
  /** For the caller: a constant text that never states which check failed. */
  readonly description: string;
  /** For the operator, in the audit event: exactly what was rejected and why. */
  readonly reason: string;
  /** A more exact HTTP status than the code's own. */
  readonly status?: 400 | 404 | 405 | 408 | 413 | 415 | 425 | 431;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A rejected request. Anything else that is thrown while a request is processed becomes `server_error`. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: ErrorCode;
  readonly description: string;
  readonly reason: string;
  /** If undefined, the endpoint's table decides. */
  readonly status: OAuthErrorDetails['status'];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, { description, reason, status, headers = {} }: OAuthErrorDetails) {
    super(reason);
    this.code = code;
    this.description = description;
    this.reason = reason;
    this.status = status;
    this.headers = headers;
  }
}

/** The same response to an unknown client, a wrong certificate and a missing one. */
export function invalidClient(reason: string): OAuthError {
  return new OAuthError('invalid_client', { description: 'Client authentication failed.', reason });
}

/** A request that is wrong in itself, no matter who sent it. The description may therefore state what is wrong. */
export function invalidRequest(description: string, more: Partial<OAuthErrorDetails> = {}): OAuthError {
  return new OAuthError('invalid_request', { description, reason: description, ...more });
}
