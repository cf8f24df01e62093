import type { ErrorCode } from '../oauth/oauth-error.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { addTokenRequestMetrics } from './request-metrics.ts';

/** What is known about a request when it is decided. It contains no token, key, PEM or secret. */
export interface AuditEntry {
  /** Address of the peer, which is the proxy; `unix` for a Unix socket. */
  peer?: string;
  /** As sent in the request; authenticated only if the event is `token_issued`. */
  client_id?: string;
  method?: string;
  /** Subject DN of the certificate (RFC 4514). */
  subject?: string;
  thumbprint?: string;
  /** How the chain of the certificate was verified, if it was. */
  chain?: string;
  grant_type?: string;
  scope?: string;
  audience?: readonly string[];
  jti?: string;
  kid?: string;
  expires_at?: string;
  /** What the operator should change although the token was issued. */
  advice?: string;
  /** Error code and HTTP status as the client received them. */
  error?: ErrorCode;
  status?: number;
  /** The exact reason, which the client does not receive. */
  reason?: string;
}

/** The names of an endpoint's audit events. */
export interface AuditEvents {
  readonly granted: 'token_issued';
  readonly rejected: 'token_rejected';
}

/** Records each decision once: one log event, and the metrics of its endpoint. */
export interface Audit {
  granted(event: AuditEvents['granted'], entry: AuditEntry, durationMilliseconds: number): void;
  rejected(event: AuditEvents['rejected'], entry: AuditEntry, durationMilliseconds: number): void;
  /** An error of the server or the proxy, not of the client. `cause` is what was thrown. */
  failed(event: AuditEvents['rejected'], entry: AuditEntry, durationMilliseconds: number, cause?: unknown): void;
}

export function createAudit(log: Log, metrics: Metrics): Audit {
  const countTokenRequest = addTokenRequestMetrics(metrics);
  return {
    granted: (event, entry, duration) => {
      countTokenRequest(undefined, duration);
      log[entry.advice === undefined ? 'info' : 'warn']({ event, ...withBoundedReason(entry) }, 'token issued');
    },
    rejected: (event, entry, duration) => {
      countTokenRequest(entry.error ?? 'server_error', duration);
      log.warn({ event, ...withBoundedReason(entry) }, 'token request rejected');
    },
    failed: (event, entry, duration, cause) => {
      countTokenRequest(entry.error ?? 'server_error', duration);
      log.error({ event, ...withBoundedReason(entry), ...stackOf(cause) }, 'token request failed');
    },
  };
}

const MAX_REASON_CHARACTERS = 4_000;

/** Reasons are short by construction; this bounds the log line even if one is not. */
function withBoundedReason({ reason, ...entry }: AuditEntry): AuditEntry {
  if (reason === undefined || reason === '') return entry;
  if (reason.length <= MAX_REASON_CHARACTERS) return { ...entry, reason };
  return { ...entry, reason: `${reason.slice(0, MAX_REASON_CHARACTERS).toWellFormed()}…` };
}

function stackOf(cause: unknown): { stack?: string } {
  return cause instanceof Error && cause.stack !== undefined ? { stack: cause.stack } : {};
}
