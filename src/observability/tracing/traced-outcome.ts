import type { AuditEntry } from '../audit-entry.ts';
import type { RequestTrace, TracedOutcome } from './trace.ts';

/** What the trace states of a decision that is about to be written: the entry must not be used afterwards. */
export function tracedOutcome(entry: AuditEntry, trace: RequestTrace, status: number): TracedOutcome {
  trace.begin('write_audit_event');
  if (trace.traceId !== undefined) entry.trace_id = trace.traceId;
  return { status, code: entry.code, clientId: entry.client_id };
}
