/**
 * The error codes that we answer with, and the HTTP status of each.
 * RFC 6749 §5.2, RFC 8707 §2; `temporarily_unavailable` and `server_error` by analogy with RFC 6749 §4.1.2.1.
 */
export const errorStatus = {
  invalid_request: 400,
  invalid_client: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  server_error: 500,
  temporarily_unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export interface OAuthErrorDetails {
  /** For the caller: a constant text that never says which check failed. */
  readonly description: string;
  /** For the operator, in the audit event: exactly what was refused and why. */
  readonly reason: string;
  /** Where HTTP has a more exact status than the code's own. */
  readonly status?: 404 | 405 | 413 | 425 | 431;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal. Whatever else is thrown while a request is answered becomes `server_error`. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: ErrorCode;
  readonly description: string;
  readonly reason: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, { description, reason, status, headers = {} }: OAuthErrorDetails) {
    super(reason);
    this.code = code;
    this.description = description;
    this.reason = reason;
    this.status = status ?? errorStatus[code];
    this.headers = headers;
  }
}

/** The one answer to every caller who is not who it says: unknown client, wrong certificate, none at all. */
export function invalidClient(reason: string): OAuthError {
  return new OAuthError('invalid_client', { description: 'Client authentication failed.', reason });
}

/** A request that is wrong in itself, whoever sends it: here the caller may know what is wrong. */
export function invalidRequest(description: string, more: Partial<OAuthErrorDetails> = {}): OAuthError {
  return new OAuthError('invalid_request', { description, reason: description, ...more });
}
