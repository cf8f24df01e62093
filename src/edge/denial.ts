import { type ErrorCode, OAuthError } from '../oauth/oauth-error.ts';
import { type ReasonCode, reasons } from '../reasons/reasons.ts';
import type { Resource } from '../resources/resource.ts';
import { AccessTokenError } from '../tokens/access-token.ts';
import { NO_BODY } from './respond.ts';

/**
 * The codes of denied checks, in `X-Countersign-Error`, each with its HTTP status. There is no other: nginx turns every
 * status but 401 and 403 into 500, and Envoy treats 5xx as a failure of this server.
 */
export const denialStatus = {
  /** No certificate, or one that authenticates no client. */
  invalid_client: 401,
  /** RFC 6750 §3.1. */
  invalid_token: 401,
  /** The header of the check is malformed or ambiguous, or the request may be a replay. */
  invalid_request: 401,
  /** RFC 6750 §3.1: the client may not have what the resource requires. */
  insufficient_scope: 403,
  /** The certificate authenticates more than one client. */
  access_denied: 403,
  /** The proxy asks for something that is not configured. */
  unknown_route: 403,
  /** The client has obtained too many tokens. Not 503, which Envoy can be configured to let through. */
  rate_limited: 403,
  temporarily_unavailable: 503,
  server_error: 503,
} as const;

export type DenialCode = keyof typeof denialStatus;

/** A denied check. The reason is for the operator, in the audit event; it never reaches the caller. */
export class Denial extends Error {
  override readonly name = 'Denial';
  /** For the operator. */
  readonly code: ReasonCode;
  /** In `X-Countersign-Error`. */
  readonly error: DenialCode;

  /** @param error if it does not follow from the code, since the same reason has another meaning here */
  constructor(code: ReasonCode, reason: string, error = denialCodeOf(code)) {
    super(reason);
    this.code = code;
    this.error = error;
  }
}

/** What an error of a step that is shared with the token endpoint means for a check. */
const denialOf: Readonly<Record<ErrorCode, DenialCode>> = {
  invalid_request: 'invalid_request',
  invalid_client: 'invalid_client',
  invalid_grant: 'server_error',
  unauthorized_client: 'insufficient_scope',
  unsupported_grant_type: 'server_error',
  invalid_scope: 'insufficient_scope',
  invalid_target: 'insufficient_scope',
  server_error: 'server_error',
  temporarily_unavailable: 'temporarily_unavailable',
};

function denialCodeOf(code: ReasonCode): DenialCode {
  const reason = reasons[code];
  if ('denial' in reason) return reason.denial;
  return 'error' in reason ? denialOf[reason.error] : 'server_error';
}

/** The denial that anything thrown while a check is decided amounts to: an unexpected error is `server_error`. */
export function toDenial(thrown: unknown): Denial {
  if (thrown instanceof Denial) return thrown;
  if (thrown instanceof OAuthError) return new Denial(thrown.code, thrown.reason);
  if (thrown instanceof AccessTokenError) return new Denial(thrown.code, `the access token: ${thrown.message}`);
  const reason = thrown instanceof Error ? `unexpected: ${thrown.message}` : 'unexpected: not an Error was thrown';
  return new Denial('internal_error', reason);
}

/** How long a caller should wait after a failed lookup: shorter than an absent record is cached. */
const RETRY_AFTER_SECONDS = '1';

/**
 * The header of a denial, as Node's flat list of names and values: the public code for the error page of the proxy, and
 * the challenge for the client (RFC 6750 §3).
 *
 * @param resource undefined if the check names none that is known
 */
export function denialHeaders({ error }: Denial, resource: Resource | undefined): readonly string[] {
  const status = denialStatus[error];
  const isChallenged = status === 401 || error === 'insufficient_scope';
  const challenge = isChallenged ? ['WWW-Authenticate', challengeOf(error, resource)] : [];
  const retry = status === 503 || error === 'rate_limited' ? ['Retry-After', RETRY_AFTER_SECONDS] : [];
  return ['X-Countersign-Error', error, ...challenge, ...retry, ...NO_BODY];
}

/** RFC 6750 §3.1: a request without a token gets no error code. */
function challengeOf(error: DenialCode, resource: Resource | undefined): string {
  const parameters = [
    error === 'invalid_token' || error === 'insufficient_scope' ? `error="${error}"` : '',
    error === 'insufficient_scope' && resource ? `scope="${resource.scopes.join(' ')}"` : '',
    resource?.metadataUrl === undefined ? '' : `resource_metadata="${resource.metadataUrl}"`,
  ].filter((parameter) => parameter !== '');
  return ['Bearer', parameters.join(', ')].filter((part) => part !== '').join(' ');
}
