import type { AuditEntry, AuditLog, Written } from '../observability/audit.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Approval, ApprovalOutcome } from './approval.ts';
import { addCheckMetrics } from './check-metrics.ts';
import type { Denial } from './denial.ts';

/** Records each decision of the edge: the metrics, and an event for all but repeated uses. */
export interface EdgeAudit {
  /** The entry of a new check. */
  begin(): AuditEntry;
  /** @returns undefined if there is no event to wait for */
  approved(entry: AuditEntry, approval: Approval, durationMilliseconds: number): Written | undefined;
  /** @param cause what was thrown */
  denied(entry: AuditEntry, denial: Denial, durationMilliseconds: number, cause: unknown): Written;
}

interface ApprovalEvent {
  readonly event: string;
  readonly message: string;
}

const approvalEvents: Readonly<Record<ApprovalOutcome, ApprovalEvent | undefined>> = {
  minted: { event: 'edge_token_minted', message: 'token minted at the edge' },
  reused: undefined,
  verified: { event: 'edge_token_verified', message: 'token verified at the edge' },
  reverified: undefined,
};

export function createEdgeAudit({ write }: AuditLog, metrics: Metrics): EdgeAudit {
  const count = addCheckMetrics(metrics);
  return {
    begin: () => ({ event: 'edge_check_denied' }),
    approved: (entry, { outcome }, duration) => {
      count(entry, outcome, duration);
      const approved = approvalEvents[outcome];
      if (!approved) return undefined;
      entry.event = approved.event;
      return write(entry.advice === undefined ? 'info' : 'warn', entry, approved.message);
    },
    denied: (entry, { code }, duration, cause) => {
      const isFailure = code === 'server_error';
      count(entry, isFailure ? 'failed' : 'denied', duration);
      if (isFailure && cause instanceof Error && cause.stack !== undefined) entry.stack = cause.stack;
      return write(isFailure ? 'error' : 'warn', entry, `edge check ${isFailure ? 'failed' : 'denied'}`);
    },
  };
}
