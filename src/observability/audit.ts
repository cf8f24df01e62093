import type { Log } from './log.ts';

/** What became known of a request while it was decided. It holds no token, key, PEM or secret. */
export interface AuditEntry {
  /** The address of the peer, which is the proxy's; `unix` for a Unix socket. */
  peer?: string;
  /** As the request says; it is only proven where the event is `token_issued`. */
  client_id?: string;
  method?: string;
  /** The subject DN of the certificate (RFC 4514), and its thumbprint. */
  subject?: string;
  thumbprint?: string;
  /** Who vouches for the certificate, where its chain is verified. */
  chain?: string;
  grant_type?: string;
  scope?: string;
  audience?: readonly string[];
  jti?: string;
  kid?: string;
  expires_at?: string;
  /** What the operator should change, although the request was granted. */
  advice?: string;
  /** Of a refusal: the code that the caller saw, and exactly why. */
  error?: string;
  status?: number;
  reason?: string;
}

export interface Audit {
  granted(event: 'token_issued', trail: AuditEntry): void;
  rejected(event: 'token_rejected', trail: AuditEntry): void;
  /** Something is wrong with us or with the proxy, not with the caller. */
  failed(event: 'token_rejected', trail: AuditEntry, detail?: unknown): void;
}

/** Writes each decision as one event of the log. */
export function createAudit(log: Log): Audit {
  return {
    granted: (event, trail) =>
      log[trail.advice === undefined ? 'info' : 'warn']({ event, ...bounded(trail) }, 'token issued'),
    rejected: (event, trail) => log.warn({ event, ...bounded(trail) }, 'token refused'),
    failed: (event, trail, detail) => log.error({ event, ...bounded(trail), ...stackOf(detail) }, 'token refused'),
  };
}

const MAX_REASON = 4_000;

/** Whoever writes a reason keeps it short; this holds also where somebody forgot. */
function bounded({ reason = '', ...trail }: AuditEntry): AuditEntry {
  if (reason === '') return trail;
  return { ...trail, reason: reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON).toWellFormed()}…` : reason };
}

function stackOf(detail: unknown): { stack?: string } {
  return detail instanceof Error && detail.stack !== undefined ? { stack: detail.stack } : {};
}
